/** What an index of a graph is asked: for the ids that it finds by a value which is in the graph. */
import type { GraphValue } from './graph-value.js';
import { itemsOf, Scalar, wordOf } from './graph-value.js';

export interface Question {
  /** RANGE, FULLTEXT, VECTOR. */
  readonly kind: string;
  readonly isOfNodes: boolean;
  readonly label: string;
  readonly property: string;
  readonly sample: GraphValue;
}

export function questionFor({ kind, isOfNodes, label, property, sample }: Question): string {
  const [procedure, column] = isOfNodes ? ['queryNodes', 'node'] : ['queryRelationships', 'relationship'];
  if (kind === 'RANGE') {
    const pattern = isOfNodes ? `(x:${label})` : `()-[x:${label}]->()`;
    return `MATCH ${pattern} WHERE x.${property} = ${literal(sample)} RETURN ID(x)`;
  }
  if (kind === 'FULLTEXT') {
    const word = /[a-z]{3,}/i.exec(wordOf(sample))?.[0] ?? wordOf(sample);
    return `CALL db.idx.fulltext.${procedure}('${label}', '@${property}:${word}') YIELD ${column} RETURN ID(${column})`;
  }
  // The nearest of all, which is itself: further ones are found by chance, and differ from build to build of the index. One
  // that was filled by a replayed append-only file has entries twice, and finds none (measured, 4.16.3): a restore mends that.
  const nearest = `${procedure}('${label}', '${property}', 1, vecf32(${literal(sample)}))`;
  return `CALL db.idx.vector.${nearest} YIELD ${column} RETURN ID(${column})`;
}

function literal(value: GraphValue): string {
  if (typeof value === 'string') return `'${value.replaceAll(/['\\]/g, '\\$&')}'`;
  if (value instanceof Scalar) return value.text;
  return `[${itemsOf(value).map(literal).join(', ')}]`;
}

/** The value of the entity with the lowest id, for each label and property. */
export class Samples {
  readonly #found = new Map<string, { readonly id: number; readonly value: GraphValue }>();

  take(id: number, labels: readonly string[], properties: ReadonlyMap<string, GraphValue>): void {
    for (const label of labels) {
      for (const [property, value] of properties) {
        const key = `${label} ${property}`;
        const known = this.#found.get(key);
        if (known === undefined || id < known.id) this.#found.set(key, { id, value });
      }
    }
  }

  of(label: string, property: string): GraphValue | undefined {
    return this.#found.get(`${label} ${property}`)?.value;
  }
}
