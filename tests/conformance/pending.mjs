// What the broker does not do yet. A check here that passes is a failure: the list stays honest, and ends empty.

/** Names of checks or of their groups. */
export const PENDING = [];

/** The same for more than one shard. */
export const PENDING_SHARDED = [];

/** The same for the checks of the Python client: how their names begin. */
export const PENDING_PYTHON = [];
