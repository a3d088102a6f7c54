import { describeClientFailure } from '../support/client-failure-scenarios.js';
import { DOCKER_HANDS, dockerNexus } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';

describeOnDocker('clients while things fail, on Docker', () => {
  describeClientFailure(dockerNexus({ track: 'standard' }), DOCKER_HANDS);
});
