import { DOCKER_HANDS, dockerNexus } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';
import { describeReset } from '../support/reset-scenarios.js';

describeOnDocker('locker reset, on Docker', () => {
  describeReset(dockerNexus({ track: 'standard', user: 'secure' }), DOCKER_HANDS, { inCi: 2, inSoak: 20 });
});
