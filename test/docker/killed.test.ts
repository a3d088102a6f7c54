import { containersOf, DOCKER_HANDS, dockerNexus } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';
import { describeKilled } from '../support/killed-scenarios.js';

describeOnDocker('killed anywhere, on Docker', () => {
  describeKilled(
    dockerNexus({ track: 'standard', user: 'secure' }),
    DOCKER_HANDS,
    async (nexus) => (await containersOf(nexus)).length,
  );
});
