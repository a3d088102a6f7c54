import { dockerNexus } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';
import { describeFieldByField } from '../support/field-by-field-scenarios.js';
import { rounds } from '../support/random.js';

/** In CI the 100 MB are restored on the embedded runtime alone: two cores have not the time to do it twice. */
const BYTES = rounds(5_000_000, 100_000_000);

describeOnDocker('all that a vault may hold, on Docker', () => {
  describeFieldByField(dockerNexus({ track: 'standard' }), { bytes: BYTES });
});
