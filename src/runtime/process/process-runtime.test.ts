import { testEngine } from '../../../test/support/engine.js';
import { localSpecs } from '../../../test/support/local-specs.js';
import { describeRuntime } from '../runtime.conformance.js';
import { ProcessRuntime } from './process-runtime.js';

describeRuntime('process', async () => {
  await testEngine();
  const specs = await localSpecs();
  return {
    runtime: new ProcessRuntime(),
    secondRuntime: () => new ProcessRuntime(),
    freshSpec: (role) => specs.freshSpec(role),
    restartsKilledServers: false,
    cleanup: () => specs.discard(),
  };
});
