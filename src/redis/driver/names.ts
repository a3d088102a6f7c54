/** Names of the drivers that a caller needs besides the client: types on the wire, and kinds of constraints. */
export { RESP_TYPES } from '@redis/client';
export { ConstraintType, EntityType } from 'falkordb/dist/src/commands/CONSTRAINT_CREATE.js';
