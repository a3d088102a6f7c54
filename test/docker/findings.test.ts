import { describeFindings } from '../support/finding-scenarios.js';
import { DOCKER_HANDS, dockerNexus } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';

describeOnDocker('every finding that both runtimes know, on Docker', () => {
  describeFindings(dockerNexus({ track: 'standard' }), DOCKER_HANDS);
});
