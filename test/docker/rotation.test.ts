import { DOCKER_HANDS, dockerNexus } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';
import { describeRotation } from '../support/rotation-scenarios.js';

describeOnDocker('rotation, on Docker', () => {
  describeRotation(dockerNexus({ user: 'secure', track: 'standard' }), DOCKER_HANDS);
});
