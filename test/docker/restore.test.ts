import { DOCKER_HANDS, dockerNexus } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';
import { describeRestore } from '../support/restore-scenarios.js';

describeOnDocker('restore, on Docker', () => {
  describeRestore(dockerNexus({ track: 'standard' }), DOCKER_HANDS, 'one');
});
