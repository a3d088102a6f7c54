import { instancesIn } from '../facts.js';
import type { Rule } from './rule.js';

export const imageUnpinned: Rule = {
  code: 'image-unpinned',
  severity: 'info',
  means: 'The image is `:latest`: the next pull may bring another engine version.',
  repairs: 'no; `image` in nexus3.yaml decides',
  see: (facts) =>
    facts.runtimeName !== 'docker'
      ? []
      : instancesIn(facts)
          .filter(({ runtime, spec }) => runtime?.owned === true && isUnpinned(spec.image))
          .map(({ id, spec }) => ({
            instance: id.role,
            message: `the image ${spec.image} names no version`,
            evidence: { image: spec.image },
            remedy: 'Name a version or a digest as image: in nexus3.yaml',
            fixable: false,
          })),
};

function isUnpinned(image: string): boolean {
  if (image.includes('@')) return false;
  const lastPart = image.slice(image.lastIndexOf('/') + 1);
  return !lastPart.includes(':') || lastPart.endsWith(':latest');
}
