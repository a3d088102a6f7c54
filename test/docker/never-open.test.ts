import { DOCKER_HANDS, dockerNexus } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';
import { describeNeverOpen } from '../support/never-open-scenarios.js';

describeOnDocker('never open, on Docker', () => {
  describeNeverOpen(dockerNexus({ track: 'standard' }), DOCKER_HANDS);
});
