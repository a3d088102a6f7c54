import { describeCompromise } from '../support/compromise-scenarios.js';
import { dockerNexus } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';

describeOnDocker('the compromise drill, on Docker', () => {
  describeCompromise(dockerNexus({ track: 'standard' }));
});
