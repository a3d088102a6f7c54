/** What a YAML file says, reduced to what nexus3.yaml may hold, each part with the line it stands on. */

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly line: number;
  readonly value: string | number | boolean | null;
}

export interface ListNode {
  readonly kind: 'list';
  readonly line: number;
  readonly items: readonly TreeNode[];
}

export interface MapEntry {
  readonly key: string;
  readonly line: number;
  readonly value: TreeNode;
}

export interface MapNode {
  readonly kind: 'map';
  readonly line: number;
  /** In the file's order; a key written twice is there twice. */
  readonly entries: readonly MapEntry[];
}

export type TreeNode = ScalarNode | ListNode | MapNode;
