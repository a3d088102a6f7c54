import { DOCKER_HANDS, dockerNexus } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';
import { describeLastCopy } from '../support/last-copy-scenarios.js';

describeOnDocker('the last copy, on Docker', () => {
  describeLastCopy(dockerNexus({ track: 'standard' }), DOCKER_HANDS);
});
