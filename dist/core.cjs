var __create = Object.create;
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __getProtoOf = Object.getPrototypeOf;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toESM = (mod, isNodeMode, target) => (target = mod != null ? __create(__getProtoOf(mod)) : {}, __copyProps(
  // If the importer is in node compatibility mode or this is not an ESM
  // file that has been converted to a CommonJS file using a Babel-
  // compatible transform (i.e. "__esModule" has not been set), then set
  // "default" to the CommonJS "module.exports" for node compatibility.
  isNodeMode || !mod || !mod.__esModule ? __defProp(target, "default", { value: mod, enumerable: true }) : target,
  mod
));
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// <stdin>
var stdin_exports = {};
__export(stdin_exports, {
  client: () => client_exports,
  index: () => src_exports,
  server: () => server_exports,
  workflows: () => workflows_exports
});
module.exports = __toCommonJS(stdin_exports);

// pkg/wasm/core_bg.js
var core_bg_exports = {};
__export(core_bg_exports, {
  Client: () => Client,
  Endpoint: () => Endpoint,
  Failure: () => Failure,
  Invocation: () => Invocation,
  Receiver: () => Receiver,
  __wbg___wbindgen_number_get_1cc01dd708740256: () => __wbg___wbindgen_number_get_1cc01dd708740256,
  __wbg___wbindgen_string_get_71bb4348194e31f0: () => __wbg___wbindgen_string_get_71bb4348194e31f0,
  __wbg___wbindgen_throw_ea4887a5f8f9a9db: () => __wbg___wbindgen_throw_ea4887a5f8f9a9db,
  __wbg_error_a6fa202b58aa1cd3: () => __wbg_error_a6fa202b58aa1cd3,
  __wbg_getRandomValues_cc7f052a444bb2ce: () => __wbg_getRandomValues_cc7f052a444bb2ce,
  __wbg_new_227d7c05414eb861: () => __wbg_new_227d7c05414eb861,
  __wbg_new_e66a4b7758dd2e5c: () => __wbg_new_e66a4b7758dd2e5c,
  __wbg_new_from_slice_543b875b27789a8f: () => __wbg_new_from_slice_543b875b27789a8f,
  __wbg_of_3ed679d45555e384: () => __wbg_of_3ed679d45555e384,
  __wbg_of_51c0e8373c6186de: () => __wbg_of_51c0e8373c6186de,
  __wbg_of_62183ea089c00bfa: () => __wbg_of_62183ea089c00bfa,
  __wbg_push_f724b5db8acf89d2: () => __wbg_push_f724b5db8acf89d2,
  __wbg_set_4564f7dc44fcb0c9: () => __wbg_set_4564f7dc44fcb0c9,
  __wbg_set_wasm: () => __wbg_set_wasm,
  __wbg_stack_3b0d974bbf31e44f: () => __wbg_stack_3b0d974bbf31e44f,
  __wbg_unshift_0925e97d7f69c428: () => __wbg_unshift_0925e97d7f69c428,
  __wbindgen_cast_0000000000000001: () => __wbindgen_cast_0000000000000001,
  __wbindgen_cast_0000000000000002: () => __wbindgen_cast_0000000000000002,
  __wbindgen_init_externref_table: () => __wbindgen_init_externref_table,
  checkAnswer: () => checkAnswer,
  start: () => start,
  version: () => version
});
var Client = class {
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    ClientFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_client_free(ptr, 0);
  }
  /**
   * The request that publishes several messages.
   * @param {string} messages
   * @returns {RequestTuple}
   */
  batch(messages) {
    const ptr0 = passStringToWasm0(messages, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.client_batch(this.__wbg_ptr, ptr0, len0);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return takeFromExternrefTable0(ret[0]);
  }
  /**
   * The request that cancels runs.
   * @param {string[]} run_ids
   * @returns {RequestTuple}
   */
  cancelRuns(run_ids) {
    const ptr0 = passArrayJsValueToWasm0(run_ids, wasm.__wbindgen_malloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.client_cancelRuns(this.__wbg_ptr, ptr0, len0);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return takeFromExternrefTable0(ret[0]);
  }
  /**
   * A client from `ClientSettings` as JSON.
   * @param {string} settings
   */
  constructor(settings) {
    const ptr0 = passStringToWasm0(settings, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.client_new(ptr0, len0);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    this.__wbg_ptr = ret[0];
    ClientFinalization.register(this, this.__wbg_ptr, this);
    return this;
  }
  /**
   * The request that publishes a message; the body is for the package to add.
   * @param {string} message
   * @returns {RequestTuple}
   */
  publish(message) {
    const ptr0 = passStringToWasm0(message, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.client_publish(this.__wbg_ptr, ptr0, len0);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return takeFromExternrefTable0(ret[0]);
  }
  /**
   * The request that starts runs, followed by their ids.
   * @param {string} runs
   * @returns {[request: RequestTuple, ...runIds: string[]]}
   */
  trigger(runs) {
    const ptr0 = passStringToWasm0(runs, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.client_trigger(this.__wbg_ptr, ptr0, len0);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return takeFromExternrefTable0(ret[0]);
  }
};
if (Symbol.dispose) Client.prototype[Symbol.dispose] = Client.prototype.free;
var Endpoint = class {
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    EndpointFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_endpoint_free(ptr, 0);
  }
  /**
   * An endpoint from `EndpointSettings` as JSON.
   * @param {string} settings
   */
  constructor(settings) {
    const ptr0 = passStringToWasm0(settings, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.endpoint_new(ptr0, len0);
    this.__wbg_ptr = ret;
    EndpointFinalization.register(this, this.__wbg_ptr, this);
    return this;
  }
};
if (Symbol.dispose) Endpoint.prototype[Symbol.dispose] = Endpoint.prototype.free;
var Failure = class _Failure {
  static __wrap(ptr) {
    const obj = Object.create(_Failure.prototype);
    obj.__wbg_ptr = ptr;
    FailureFinalization.register(obj, obj.__wbg_ptr, obj);
    return obj;
  }
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    FailureFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_failure_free(ptr, 0);
  }
  /**
   * The same failure, tried again after `delay`: seconds, or a duration such as `2m`.
   * @param {string} delay
   * @returns {Failure}
   */
  after(delay) {
    const ptr = this.__destroy_into_raw();
    const ptr0 = passStringToWasm0(delay, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.failure_after(ptr, ptr0, len0);
    return _Failure.__wrap(ret);
  }
  /**
   * The end of a run by its own wish.
   * @returns {Failure}
   */
  static cancel() {
    const ret = wasm.failure_cancel();
    return _Failure.__wrap(ret);
  }
  /**
   * The same failure, not tried again.
   * @returns {Failure}
   */
  never() {
    const ptr = this.__destroy_into_raw();
    const ret = wasm.failure_never(ptr);
    return _Failure.__wrap(ret);
  }
  /**
   * A failure that is tried again.
   * @param {string} name
   * @param {string} message
   * @param {string | null} [stack]
   */
  constructor(name, message, stack) {
    const ptr0 = passStringToWasm0(name, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ptr1 = passStringToWasm0(message, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len1 = WASM_VECTOR_LEN;
    var ptr2 = isLikeNone(stack) ? 0 : passStringToWasm0(stack, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    var len2 = WASM_VECTOR_LEN;
    const ret = wasm.failure_new(ptr0, len0, ptr1, len1, ptr2, len2);
    this.__wbg_ptr = ret;
    FailureFinalization.register(this, this.__wbg_ptr, this);
    return this;
  }
  /**
   * A failure with an error of this package; its code tells whether it is tried again.
   * @param {string} code
   * @param {string} message
   * @param {string | null} [stack]
   * @returns {Failure}
   */
  static ofCode(code, message, stack) {
    const ptr0 = passStringToWasm0(code, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ptr1 = passStringToWasm0(message, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len1 = WASM_VECTOR_LEN;
    var ptr2 = isLikeNone(stack) ? 0 : passStringToWasm0(stack, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    var len2 = WASM_VECTOR_LEN;
    const ret = wasm.failure_ofCode(ptr0, len0, ptr1, len1, ptr2, len2);
    return _Failure.__wrap(ret);
  }
};
if (Symbol.dispose) Failure.prototype[Symbol.dispose] = Failure.prototype.free;
var Invocation = class {
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    InvocationFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_invocation_free(ptr, 0);
  }
  /**
   * The first duty.
   * @returns {Duty}
   */
  begin() {
    const ret = wasm.invocation_begin(this.__wbg_ptr);
    return ret;
  }
  /**
   * The workflow's function has failed.
   * @param {Failure} failure
   * @returns {Duty}
   */
  handleFailure(failure) {
    _assertClass(failure, Failure);
    var ptr0 = failure.__destroy_into_raw();
    const ret = wasm.invocation_handleFailure(this.__wbg_ptr, ptr0);
    return ret;
  }
  /**
   * The failure function has ended with a result as JSON text; nothing for `undefined`.
   * @param {string | null} [result]
   * @returns {Duty}
   */
  handleRecovered(result) {
    var ptr0 = isLikeNone(result) ? 0 : passStringToWasm0(result, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    var len0 = WASM_VECTOR_LEN;
    const ret = wasm.invocation_handleRecovered(this.__wbg_ptr, ptr0, len0);
    return ret;
  }
  /**
   * The failure function has failed.
   * @param {Failure} failure
   * @returns {Duty}
   */
  handleRecoveryFailure(failure) {
    _assertClass(failure, Failure);
    var ptr0 = failure.__destroy_into_raw();
    const ret = wasm.invocation_handleRecoveryFailure(this.__wbg_ptr, ptr0);
    return ret;
  }
  /**
   * The broker has answered.
   * @param {number} status
   * @param {Uint8Array} body
   * @returns {Duty}
   */
  handleResponse(status, body) {
    const ptr0 = passArray8ToWasm0(body, wasm.__wbindgen_malloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.invocation_handleResponse(this.__wbg_ptr, status, ptr0, len0);
    return ret;
  }
  /**
   * A step's function has ended with a result as JSON text; nothing for `undefined`.
   * @param {string | null} [out]
   * @returns {Duty}
   */
  handleResult(out) {
    var ptr0 = isLikeNone(out) ? 0 : passStringToWasm0(out, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    var len0 = WASM_VECTOR_LEN;
    const ret = wasm.invocation_handleResult(this.__wbg_ptr, ptr0, len0);
    return ret;
  }
  /**
   * The workflow's function has ended with a result as JSON text; nothing for `undefined`.
   * @param {string | null} [result]
   * @returns {Duty}
   */
  handleReturn(result) {
    var ptr0 = isLikeNone(result) ? 0 : passStringToWasm0(result, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    var len0 = WASM_VECTOR_LEN;
    const ret = wasm.invocation_handleReturn(this.__wbg_ptr, ptr0, len0);
    return ret;
  }
  /**
   * The broker can't be reached.
   * @param {string} reason
   * @returns {Duty}
   */
  handleSendError(reason) {
    const ptr0 = passStringToWasm0(reason, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.invocation_handleSendError(this.__wbg_ptr, ptr0, len0);
    return ret;
  }
  /**
   * A step's function has failed.
   * @param {Failure} failure
   * @returns {Duty}
   */
  handleStepFailure(failure) {
    _assertClass(failure, Failure);
    var ptr0 = failure.__destroy_into_raw();
    const ret = wasm.invocation_handleStepFailure(this.__wbg_ptr, ptr0);
    return ret;
  }
  /**
   * A step's or the workflow's result can't be written as JSON.
   * @param {string} reason
   * @returns {Duty}
   */
  handleUnserializableResult(reason) {
    const ptr0 = passStringToWasm0(reason, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.invocation_handleUnserializableResult(this.__wbg_ptr, ptr0, len0);
    return ret;
  }
  /**
   * Takes a delivery. `digest` is the SHA-256 of `body` if the host has computed it, `now` is `Date.now()`.
   * @param {Endpoint} endpoint
   * @param {string} method
   * @param {string} url
   * @param {string} headers
   * @param {Uint8Array} body
   * @param {Uint8Array | null | undefined} digest
   * @param {number} now
   */
  constructor(endpoint, method, url, headers, body, digest, now) {
    _assertClass(endpoint, Endpoint);
    const ptr0 = passStringToWasm0(method, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ptr1 = passStringToWasm0(url, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len1 = WASM_VECTOR_LEN;
    const ptr2 = passStringToWasm0(headers, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len2 = WASM_VECTOR_LEN;
    const ptr3 = passArray8ToWasm0(body, wasm.__wbindgen_malloc);
    const len3 = WASM_VECTOR_LEN;
    var ptr4 = isLikeNone(digest) ? 0 : passArray8ToWasm0(digest, wasm.__wbindgen_malloc);
    var len4 = WASM_VECTOR_LEN;
    const ret = wasm.invocation_new(endpoint.__wbg_ptr, ptr0, len0, ptr1, len1, ptr2, len2, ptr3, len3, ptr4, len4, now);
    this.__wbg_ptr = ret;
    InvocationFinalization.register(this, this.__wbg_ptr, this);
    return this;
  }
  /**
   * The workflow can't go on without the steps that it asked for.
   * @returns {Duty}
   */
  poll() {
    const ret = wasm.invocation_poll(this.__wbg_ptr);
    return ret;
  }
  /**
   * The workflow asks for a step with a function. Gives the step's ticket.
   * @param {string} name
   * @returns {number}
   */
  requestRun(name) {
    const ptr0 = passStringToWasm0(name, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.invocation_requestRun(this.__wbg_ptr, ptr0, len0);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return ret[0] >>> 0;
  }
  /**
   * The workflow asks for a sleep: a number of seconds, or a duration such as `1d`.
   * @param {string} name
   * @param {number | string} duration
   * @returns {number}
   */
  requestSleep(name, duration) {
    const ptr0 = passStringToWasm0(name, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.invocation_requestSleep(this.__wbg_ptr, ptr0, len0, duration);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return ret[0] >>> 0;
  }
  /**
   * The workflow asks for a sleep until a moment, in Unix seconds; `NaN` stands for what is no moment.
   * @param {string} name
   * @param {number} seconds
   * @returns {number}
   */
  requestSleepUntil(name, seconds) {
    const ptr0 = passStringToWasm0(name, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ret = wasm.invocation_requestSleepUntil(this.__wbg_ptr, ptr0, len0, seconds);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    return ret[0] >>> 0;
  }
  /**
   * Replaces the payload that a first invocation submits; nothing for no body.
   * @param {string | null} [body]
   */
  setTriggerBody(body) {
    var ptr0 = isLikeNone(body) ? 0 : passStringToWasm0(body, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    var len0 = WASM_VECTOR_LEN;
    wasm.invocation_setTriggerBody(this.__wbg_ptr, ptr0, len0);
  }
};
if (Symbol.dispose) Invocation.prototype[Symbol.dispose] = Invocation.prototype.free;
var Receiver = class {
  __destroy_into_raw() {
    const ptr = this.__wbg_ptr;
    this.__wbg_ptr = 0;
    ReceiverFinalization.unregister(this);
    return ptr;
  }
  free() {
    const ptr = this.__destroy_into_raw();
    wasm.__wbg_receiver_free(ptr, 0);
  }
  /**
   * A receiver with the key that signs now and the one that comes next.
   * @param {string} current
   * @param {string | null} [next]
   */
  constructor(current, next) {
    const ptr0 = passStringToWasm0(current, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    var ptr1 = isLikeNone(next) ? 0 : passStringToWasm0(next, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    var len1 = WASM_VECTOR_LEN;
    const ret = wasm.receiver_new(ptr0, len0, ptr1, len1);
    if (ret[2]) {
      throw takeFromExternrefTable0(ret[1]);
    }
    this.__wbg_ptr = ret[0];
    ReceiverFinalization.register(this, this.__wbg_ptr, this);
    return this;
  }
  /**
   * Throws unless `signature` was made for this body. `now` is in milliseconds, `tolerance` in seconds (5 if absent).
   * @param {string} signature
   * @param {Uint8Array} body
   * @param {string | null | undefined} url
   * @param {number | null | undefined} tolerance
   * @param {number} now
   */
  verify(signature, body, url, tolerance, now) {
    const ptr0 = passStringToWasm0(signature, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ptr1 = passArray8ToWasm0(body, wasm.__wbindgen_malloc);
    const len1 = WASM_VECTOR_LEN;
    var ptr2 = isLikeNone(url) ? 0 : passStringToWasm0(url, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    var len2 = WASM_VECTOR_LEN;
    const ret = wasm.receiver_verify(this.__wbg_ptr, ptr0, len0, ptr1, len1, ptr2, len2, !isLikeNone(tolerance), isLikeNone(tolerance) ? 0 : tolerance, now);
    if (ret[1]) {
      throw takeFromExternrefTable0(ret[0]);
    }
  }
  /**
   * [`verify`](Self::verify), for a body whose SHA-256 the host has computed.
   * @param {string} signature
   * @param {Uint8Array} digest
   * @param {string | null | undefined} url
   * @param {number | null | undefined} tolerance
   * @param {number} now
   */
  verifyDigest(signature, digest, url, tolerance, now) {
    const ptr0 = passStringToWasm0(signature, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    const len0 = WASM_VECTOR_LEN;
    const ptr1 = passArray8ToWasm0(digest, wasm.__wbindgen_malloc);
    const len1 = WASM_VECTOR_LEN;
    var ptr2 = isLikeNone(url) ? 0 : passStringToWasm0(url, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
    var len2 = WASM_VECTOR_LEN;
    const ret = wasm.receiver_verifyDigest(this.__wbg_ptr, ptr0, len0, ptr1, len1, ptr2, len2, !isLikeNone(tolerance), isLikeNone(tolerance) ? 0 : tolerance, now);
    if (ret[1]) {
      throw takeFromExternrefTable0(ret[0]);
    }
  }
};
if (Symbol.dispose) Receiver.prototype[Symbol.dispose] = Receiver.prototype.free;
function checkAnswer(status, body) {
  const ptr0 = passArray8ToWasm0(body, wasm.__wbindgen_malloc);
  const len0 = WASM_VECTOR_LEN;
  const ret = wasm.checkAnswer(status, ptr0, len0);
  if (ret[1]) {
    throw takeFromExternrefTable0(ret[0]);
  }
}
function start() {
  wasm.start();
}
function version() {
  let deferred1_0;
  let deferred1_1;
  try {
    const ret = wasm.version();
    deferred1_0 = ret[0];
    deferred1_1 = ret[1];
    return getStringFromWasm0(ret[0], ret[1]);
  } finally {
    wasm.__wbindgen_free(deferred1_0, deferred1_1, 1);
  }
}
function __wbg___wbindgen_number_get_1cc01dd708740256(arg0, arg1) {
  const obj = arg1;
  const ret = typeof obj === "number" ? obj : void 0;
  getDataViewMemory0().setFloat64(arg0 + 8 * 1, isLikeNone(ret) ? 0 : ret, true);
  getDataViewMemory0().setInt32(arg0 + 4 * 0, !isLikeNone(ret), true);
}
function __wbg___wbindgen_string_get_71bb4348194e31f0(arg0, arg1) {
  const obj = arg1;
  const ret = typeof obj === "string" ? obj : void 0;
  var ptr1 = isLikeNone(ret) ? 0 : passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
  var len1 = WASM_VECTOR_LEN;
  getDataViewMemory0().setInt32(arg0 + 4 * 1, len1, true);
  getDataViewMemory0().setInt32(arg0 + 4 * 0, ptr1, true);
}
function __wbg___wbindgen_throw_ea4887a5f8f9a9db(arg0, arg1) {
  throw new Error(getStringFromWasm0(arg0, arg1));
}
function __wbg_error_a6fa202b58aa1cd3(arg0, arg1) {
  let deferred0_0;
  let deferred0_1;
  try {
    deferred0_0 = arg0;
    deferred0_1 = arg1;
    console.error(getStringFromWasm0(arg0, arg1));
  } finally {
    wasm.__wbindgen_free(deferred0_0, deferred0_1, 1);
  }
}
function __wbg_getRandomValues_cc7f052a444bb2ce() {
  return handleError(function(arg0, arg1) {
    globalThis.crypto.getRandomValues(getArrayU8FromWasm0(arg0, arg1));
  }, arguments);
}
function __wbg_new_227d7c05414eb861() {
  const ret = new Error();
  return ret;
}
function __wbg_new_e66a4b7758dd2e5c(arg0, arg1) {
  const ret = new Error(getStringFromWasm0(arg0, arg1));
  return ret;
}
function __wbg_new_from_slice_543b875b27789a8f(arg0, arg1) {
  const ret = new Uint8Array(getArrayU8FromWasm0(arg0, arg1));
  return ret;
}
function __wbg_of_3ed679d45555e384(arg0, arg1) {
  const ret = Array.of(arg0, arg1);
  return ret;
}
function __wbg_of_51c0e8373c6186de(arg0, arg1, arg2, arg3) {
  const ret = Array.of(arg0, arg1, arg2, arg3);
  return ret;
}
function __wbg_of_62183ea089c00bfa(arg0) {
  const ret = Array.of(arg0);
  return ret;
}
function __wbg_push_f724b5db8acf89d2(arg0, arg1) {
  const ret = arg0.push(arg1);
  return ret;
}
function __wbg_set_4564f7dc44fcb0c9() {
  return handleError(function(arg0, arg1, arg2) {
    const ret = Reflect.set(arg0, arg1, arg2);
    return ret;
  }, arguments);
}
function __wbg_stack_3b0d974bbf31e44f(arg0, arg1) {
  const ret = arg1.stack;
  const ptr1 = passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
  const len1 = WASM_VECTOR_LEN;
  getDataViewMemory0().setInt32(arg0 + 4 * 1, len1, true);
  getDataViewMemory0().setInt32(arg0 + 4 * 0, ptr1, true);
}
function __wbg_unshift_0925e97d7f69c428(arg0, arg1) {
  const ret = arg0.unshift(arg1);
  return ret;
}
function __wbindgen_cast_0000000000000001(arg0) {
  const ret = arg0;
  return ret;
}
function __wbindgen_cast_0000000000000002(arg0, arg1) {
  const ret = getStringFromWasm0(arg0, arg1);
  return ret;
}
function __wbindgen_init_externref_table() {
  const table = wasm.__wbindgen_externrefs;
  const offset = table.grow(4);
  table.set(0, void 0);
  table.set(offset + 0, void 0);
  table.set(offset + 1, null);
  table.set(offset + 2, true);
  table.set(offset + 3, false);
}
var ClientFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_client_free(ptr, 1));
var EndpointFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_endpoint_free(ptr, 1));
var FailureFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_failure_free(ptr, 1));
var InvocationFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_invocation_free(ptr, 1));
var ReceiverFinalization = typeof FinalizationRegistry === "undefined" ? { register: () => {
}, unregister: () => {
} } : new FinalizationRegistry((ptr) => wasm.__wbg_receiver_free(ptr, 1));
function addToExternrefTable0(obj) {
  const idx = wasm.__externref_table_alloc();
  wasm.__wbindgen_externrefs.set(idx, obj);
  return idx;
}
function _assertClass(instance2, klass) {
  if (!(instance2 instanceof klass)) {
    throw new Error(`expected instance of ${klass.name}`);
  }
}
function getArrayU8FromWasm0(ptr, len) {
  ptr = ptr >>> 0;
  return getUint8ArrayMemory0().subarray(ptr / 1, ptr / 1 + len);
}
var cachedDataViewMemory0 = null;
function getDataViewMemory0() {
  if (cachedDataViewMemory0 === null || cachedDataViewMemory0.buffer.detached === true || cachedDataViewMemory0.buffer.detached === void 0 && cachedDataViewMemory0.buffer !== wasm.memory.buffer) {
    cachedDataViewMemory0 = new DataView(wasm.memory.buffer);
  }
  return cachedDataViewMemory0;
}
function getStringFromWasm0(ptr, len) {
  return decodeText(ptr >>> 0, len);
}
var cachedUint8ArrayMemory0 = null;
function getUint8ArrayMemory0() {
  if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) {
    cachedUint8ArrayMemory0 = new Uint8Array(wasm.memory.buffer);
  }
  return cachedUint8ArrayMemory0;
}
function handleError(f, args) {
  try {
    return f.apply(this, args);
  } catch (e) {
    const idx = addToExternrefTable0(e);
    wasm.__wbindgen_exn_store(idx);
  }
}
function isLikeNone(x) {
  return x === void 0 || x === null;
}
function passArray8ToWasm0(arg, malloc) {
  const ptr = malloc(arg.length * 1, 1) >>> 0;
  getUint8ArrayMemory0().set(arg, ptr / 1);
  WASM_VECTOR_LEN = arg.length;
  return ptr;
}
function passArrayJsValueToWasm0(array, malloc) {
  const ptr = malloc(array.length * 4, 4) >>> 0;
  for (let i = 0; i < array.length; i++) {
    const add = addToExternrefTable0(array[i]);
    getDataViewMemory0().setUint32(ptr + 4 * i, add, true);
  }
  WASM_VECTOR_LEN = array.length;
  return ptr;
}
function passStringToWasm0(arg, malloc, realloc) {
  if (realloc === void 0) {
    const buf = cachedTextEncoder.encode(arg);
    const ptr2 = malloc(buf.length, 1) >>> 0;
    getUint8ArrayMemory0().subarray(ptr2, ptr2 + buf.length).set(buf);
    WASM_VECTOR_LEN = buf.length;
    return ptr2;
  }
  let len = arg.length;
  let ptr = malloc(len, 1) >>> 0;
  const mem = getUint8ArrayMemory0();
  let offset = 0;
  for (; offset < len; offset++) {
    const code = arg.charCodeAt(offset);
    if (code > 127) break;
    mem[ptr + offset] = code;
  }
  if (offset !== len) {
    if (offset !== 0) {
      arg = arg.slice(offset);
    }
    ptr = realloc(ptr, len, len = offset + arg.length * 3, 1) >>> 0;
    const view = getUint8ArrayMemory0().subarray(ptr + offset, ptr + len);
    const ret = cachedTextEncoder.encodeInto(arg, view);
    offset += ret.written;
    ptr = realloc(ptr, len, offset, 1) >>> 0;
  }
  WASM_VECTOR_LEN = offset;
  return ptr;
}
function takeFromExternrefTable0(idx) {
  const value = wasm.__wbindgen_externrefs.get(idx);
  wasm.__externref_table_dealloc(idx);
  return value;
}
var cachedTextDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
cachedTextDecoder.decode();
var MAX_SAFARI_DECODE_BYTES = 2146435072;
var numBytesDecoded = 0;
function decodeText(ptr, len) {
  numBytesDecoded += len;
  if (numBytesDecoded >= MAX_SAFARI_DECODE_BYTES) {
    cachedTextDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
    cachedTextDecoder.decode();
    numBytesDecoded = len;
  }
  return cachedTextDecoder.decode(getUint8ArrayMemory0().subarray(ptr, ptr + len));
}
var cachedTextEncoder = new TextEncoder();
if (!("encodeInto" in cachedTextEncoder)) {
  cachedTextEncoder.encodeInto = function(arg, view) {
    const buf = cachedTextEncoder.encode(arg);
    view.set(buf);
    return {
      read: arg.length,
      written: buf.length
    };
  };
}
var WASM_VECTOR_LEN = 0;
var wasm;
function __wbg_set_wasm(val) {
  wasm = val;
}

// pkg/src/core/core.ts
var load;
var instance;
function boot(loader) {
  load = loader;
}
function core() {
  instance ??= instantiate().catch((error) => {
    instance = void 0;
    throw error;
  });
  return instance;
}
async function instantiate() {
  if (!load) throw new Error("the core has no loader: import an entry of the package, not a file inside it");
  const module2 = await (await load()).default();
  const { exports } = new WebAssembly.Instance(module2, { "./core_bg.js": core_bg_exports });
  __wbg_set_wasm(exports);
  exports["__wbindgen_start"]();
  return core_bg_exports;
}

// pkg/src/index.ts
var src_exports = {};
__export(src_exports, {
  OrchestrationError: () => OrchestrationError,
  QstashError: () => QstashError,
  SignatureError: () => SignatureError,
  WorkflowAbort: () => WorkflowAbort,
  WorkflowError: () => WorkflowError,
  WorkflowNonRetryableError: () => WorkflowNonRetryableError,
  WorkflowRetryAfterError: () => WorkflowRetryAfterError
});

// pkg/src/errors.ts
var OrchestrationError = class extends Error {
  /** The stable code, such as `SignatureExpired`. */
  code;
  /** Whether the same call may succeed later without a change. */
  retryable;
  constructor(message, code = "Internal", retryable = false) {
    super(message);
    this.name = new.target.name;
    this.code = code;
    this.retryable = retryable;
  }
};
var QstashError = class extends OrchestrationError {
  /** The status of the broker's answer, if there was one. */
  status;
  constructor(message, code = "BrokerRefused", retryable = false, status) {
    super(message, code, retryable);
    this.name = "QstashError";
    this.status = status;
  }
};
var SignatureError = class extends OrchestrationError {
  constructor(message, code = "SignatureInvalid", retryable = false) {
    super(message, code, retryable);
    this.name = "SignatureError";
  }
};
var WorkflowError = class extends QstashError {
  constructor(message, code = "WorkflowFailed", retryable = true) {
    super(message, code, retryable);
    this.name = "WorkflowError";
  }
};
var WorkflowAbort = class extends Error {
  /** What aborted. */
  stepName;
  constructor(stepName, message) {
    super(message);
    this.name = "WorkflowAbort";
    this.stepName = stepName;
  }
};
var WorkflowNonRetryableError = class extends WorkflowAbort {
  constructor(message = "Workflow failed with non-retryable error.") {
    super("non-retryable-error", message);
    this.name = "WorkflowNonRetryableError";
  }
};
var WorkflowRetryAfterError = class extends WorkflowAbort {
  /** Seconds, or a duration such as `2m`. */
  retryAfter;
  constructor(message, retryAfter) {
    super("retry-after-error", message);
    this.name = "WorkflowRetryAfterError";
    this.retryAfter = retryAfter;
  }
};
function adopting(errorClass, call) {
  try {
    return call();
  } catch (error) {
    const { message, code, retryable } = error;
    if (typeof code !== "string") throw error;
    throw new errorClass(message, code, retryable);
  }
}

// pkg/src/client.ts
var client_exports = {};
__export(client_exports, {
  Client: () => Client2,
  OrchestrationError: () => OrchestrationError,
  QstashError: () => QstashError
});

// pkg/src/broker.ts
var DEFAULT_RETRY = { retries: 5, backoff: (retryCount) => Math.exp(retryCount) * 50 };
async function send([method, url, headers, bytes], retry, body) {
  const init = { method, headers: headerPairs(headers) };
  const content = body === void 0 && bytes.length > 0 ? bytes : body;
  if (content !== void 0) init.body = content;
  for (let tried = 0; ; tried += 1) {
    try {
      const response = await fetch(url, init);
      return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      if (tried >= retry.retries || content instanceof ReadableStream) throw error;
      await new Promise((resolve) => setTimeout(resolve, retry.backoff(tried)));
    }
  }
}
function reasonOf(error) {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause.message : void 0;
  return cause ? `${error.message} (${cause})` : error.message;
}
function headerText(headers) {
  const lines = [];
  for (const [name, value] of headers) lines.push(name, value);
  return lines.join("\n");
}
function headerPairs(text) {
  const lines = text.split("\n");
  const pairs = [];
  for (let index = 0; index + 1 < lines.length; index += 2) pairs.push([lines[index], lines[index + 1]]);
  return pairs;
}

// pkg/src/connection.ts
var SETTINGS = /* @__PURE__ */ Symbol.for("@repo/orchestration:settings");
function brokerSettings(config, environment) {
  return {
    brokerUrl: config.baseUrl ?? environment["QSTASH_URL"],
    token: config.token ?? environment["QSTASH_TOKEN"],
    headers: pairsOf(config.headers),
    retry: config.retry === false ? { ...DEFAULT_RETRY, retries: 0 } : { ...DEFAULT_RETRY, ...config.retry }
  };
}
async function connect({ brokerUrl, token, headers }) {
  const { Client: Core } = await core();
  return adopting(QstashError, () => new Core(JSON.stringify({ brokerUrl, token, headers })));
}
async function exchange(request, retry, body) {
  let answer;
  try {
    answer = await send(request, retry, body);
  } catch (error) {
    throw new QstashError(`the broker can't be reached: ${reasonOf(error)}`, "BrokerUnreachable", true);
  }
  const { checkAnswer: checkAnswer2 } = await core();
  const status = answer.status;
  adopting(
    class extends QstashError {
      constructor(message, code, retryable) {
        super(message, code, retryable, status);
      }
    },
    () => checkAnswer2(status, answer.body)
  );
  if (answer.body.length === 0) return void 0;
  try {
    return JSON.parse(new TextDecoder().decode(answer.body));
  } catch {
    throw new QstashError("the broker's answer is not JSON", "BrokerAnswer", true, status);
  }
}
function pairsOf(headers) {
  return headers === void 0 ? [] : [...new Headers(headers)];
}

// pkg/src/environment.ts
function processEnvironment() {
  return globalThis.process?.env ?? {};
}

// pkg/src/qstash.ts
var Client2 = class {
  #config;
  #core;
  constructor(config = {}) {
    this.#config = config;
  }
  /** Publishes a message. The body travels untouched. */
  async publish(message) {
    const { body, headers, ...options } = message;
    const client = await this.#client();
    const request = adopting(QstashError, () => client.publish(JSON.stringify({ ...options, headers: pairsOf(headers) })));
    return await this.#send(request, body ?? null);
  }
  /** Publishes a message whose body is written as JSON. */
  publishJSON(message) {
    return this.publish({ ...message, ...json(message) });
  }
  /** Publishes several messages in one request; each is accepted or refused on its own. */
  async batch(messages) {
    const client = await this.#client();
    const items = messages.map(({ headers, ...options }) => ({ ...options, headers: pairsOf(headers) }));
    const answer = await this.#send(adopting(QstashError, () => client.batch(JSON.stringify(items))));
    return Array.isArray(answer) ? answer : [answer];
  }
  /** {@link batch}, with bodies that are written as JSON. */
  batchJSON(messages) {
    return this.batch(messages.map((message) => ({ ...message, ...json(message) })));
  }
  /** @internal */
  [SETTINGS](environment = processEnvironment()) {
    return brokerSettings(this.#config, environment);
  }
  #client() {
    this.#core ??= connect(this[SETTINGS]()).catch((error) => {
      this.#core = void 0;
      throw error;
    });
    return this.#core;
  }
  #send(request, body) {
    return exchange(request, this[SETTINGS]().retry, body);
  }
};
function json(message) {
  const headers = new Headers(message.headers);
  headers.set("Content-Type", "application/json");
  const body = JSON.stringify(message.body);
  return body === void 0 ? { headers } : { headers, body };
}

// pkg/src/server.ts
var server_exports = {};
__export(server_exports, {
  OrchestrationError: () => OrchestrationError,
  Receiver: () => Receiver2,
  SignatureError: () => SignatureError
});

// pkg/src/core/digest.ts
var NATIVE_FROM_BYTES = 16384;
async function digestOf(body) {
  if (body.byteLength < NATIVE_FROM_BYTES) return void 0;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", body));
}

// pkg/src/receiver.ts
var KEYS = /* @__PURE__ */ Symbol.for("@repo/orchestration:keys");
var Receiver2 = class {
  #config;
  #core;
  constructor(config = {}) {
    this.#config = config;
  }
  /**
   * Resolves with `true` if the signature was made by the broker for this body, and URL if given.
   *
   * @throws {SignatureError} with a code that says what is wrong.
   */
  async verify({ signature, body, url, clockTolerance }) {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const digest = await digestOf(bytes);
    const { Receiver: Core } = await core();
    adopting(SignatureError, () => {
      const { currentSigningKey, nextSigningKey } = this[KEYS]();
      this.#core ??= new Core(currentSigningKey ?? "", nextSigningKey);
      if (digest) this.#core.verifyDigest(signature, digest, url, clockTolerance, Date.now());
      else this.#core.verify(signature, bytes, url, clockTolerance, Date.now());
    });
    return true;
  }
  /** @internal */
  [KEYS](environment = processEnvironment()) {
    return {
      currentSigningKey: this.#config.currentSigningKey ?? environment["QSTASH_CURRENT_SIGNING_KEY"],
      nextSigningKey: this.#config.nextSigningKey ?? environment["QSTASH_NEXT_SIGNING_KEY"]
    };
  }
};

// pkg/src/workflows.ts
var workflows_exports = {};
__export(workflows_exports, {
  Client: () => Client3,
  OrchestrationError: () => OrchestrationError,
  QstashError: () => QstashError,
  SignatureError: () => SignatureError,
  WorkflowAbort: () => WorkflowAbort,
  WorkflowError: () => WorkflowError,
  WorkflowNonRetryableError: () => WorkflowNonRetryableError,
  WorkflowRetryAfterError: () => WorkflowRetryAfterError,
  serve: () => serve
});

// pkg/src/workflows/client.ts
var Client3 = class {
  #config;
  #connected;
  constructor(config = {}) {
    this.#config = config;
  }
  async trigger(options) {
    const runs = [options].flat().map(({ body, headers, ...rest }) => ({
      ...rest,
      headers: pairsOf(headers),
      body: typeof body === "string" ? body : JSON.stringify(body)
    }));
    const client = await this.#client();
    const [request, ...runIds] = adopting(QstashError, () => client.trigger(JSON.stringify(runs)));
    await exchange(request, this.#settings().retry);
    const started = runIds.map((workflowRunId) => ({ workflowRunId }));
    return Array.isArray(options) ? started : started[0];
  }
  /** Cancels runs by their ids. Resolves with how many were still running. */
  async cancel(workflowRunIds) {
    const ids = typeof workflowRunIds === "object" && "ids" in workflowRunIds ? workflowRunIds.ids : workflowRunIds;
    if (typeof ids !== "string" && !Array.isArray(ids)) {
      throw new QstashError("this version cancels runs by their ids only, not by filters", "Unsupported");
    }
    if (ids.length === 0 && Array.isArray(ids)) return { cancelled: 0 };
    const client = await this.#client();
    const request = adopting(QstashError, () => client.cancelRuns([ids].flat()));
    return await exchange(request, this.#settings().retry);
  }
  #settings() {
    return brokerSettings(this.#config, processEnvironment());
  }
  #client() {
    this.#connected ??= connect(this.#settings()).catch((error) => {
      this.#connected = void 0;
      throw error;
    });
    return this.#connected;
  }
};

// pkg/src/workflows/context.ts
var WorkflowContext = class {
  /** The payload that the run was started with. */
  requestPayload;
  /** The run's id, `wfr_…`. */
  workflowRunId;
  /** When the run was created, in Unix milliseconds; `NaN` or 0 while the broker has not said. */
  workflowRunCreatedAt;
  /** The URL that the run's steps are submitted for. */
  url;
  /** The headers of the request that started the run. */
  headers;
  /** The option `env` of `serve`, or what stands for it. */
  env;
  /** The run's labels. */
  labels;
  /** How many tries of this delivery came before. */
  retried;
  #steps;
  /** @internal */
  constructor(facts, steps) {
    this.requestPayload = facts.requestPayload;
    this.workflowRunId = facts.workflowRunId;
    this.workflowRunCreatedAt = facts.workflowRunCreatedAt;
    this.url = facts.url;
    this.headers = facts.headers;
    this.env = facts.env;
    this.labels = facts.labels;
    this.retried = facts.retried;
    this.#steps = steps;
  }
  /** The first label. */
  get label() {
    return this.labels[0];
  }
  /**
   * Runs a function once and remembers its result. Steps asked for together, with `Promise.all`, run in parallel.
   *
   * @param stepName names the step in logs and in errors; keep it when the code around it changes
   */
  run(stepName, stepFunction) {
    return this.#steps.run(stepName, stepFunction);
  }
  /**
   * Sleeps without holding anything: the broker starts the next invocation when the time has come.
   *
   * @param duration seconds, or a duration such as `1d10h`
   */
  sleep(stepName, duration) {
    return this.#steps.sleep(stepName, duration);
  }
  /**
   * Sleeps until a moment.
   *
   * @param moment a date, Unix seconds, or a text that `Date` can read
   */
  sleepUntil(stepName, moment) {
    return this.#steps.sleepUntil(stepName, moment);
  }
  /** Ends the run as cancelled. The promise stays pending: nothing after it runs. */
  cancel() {
    return this.#steps.cancel();
  }
};

// pkg/src/workflows/failure.ts
function failureOf({ Failure: Make }, thrown) {
  if (!isError(thrown)) {
    return new Make("Error", `An error occured while executing workflow: '${typeof thrown === "string" ? thrown : shown(thrown)}'`);
  }
  const [message, stack] = [String(thrown.message), typeof thrown.stack === "string" ? thrown.stack : void 0];
  if (thrown instanceof WorkflowError && thrown.code !== "WorkflowFailed") return Make.ofCode(thrown.code, message, stack);
  const failure = new Make(String(thrown.name), message, stack);
  if (thrown.name === "WorkflowNonRetryableError") return failure.never();
  if (thrown.name === "WorkflowRetryAfterError") return failure.after(String(thrown.retryAfter));
  return failure;
}
var isError = (value) => value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
function shown(value) {
  try {
    return JSON.stringify(value);
  } catch {
    return String(value);
  }
}

// pkg/src/workflows/payload.ts
function readPayload(raw, options) {
  if (options.initialPayloadParser) return options.initialPayloadParser(raw);
  if (!raw) return void 0;
  const text = raw.charCodeAt(0) === BYTE_ORDER_MARK ? raw.slice(1) : raw;
  let payload;
  try {
    payload = JSON.parse(text);
  } catch {
    return text;
  }
  return options.schema ? options.schema.parse(payload) : payload;
}
var writePayload = (payload) => typeof payload === "string" ? payload : JSON.stringify(payload);
var BYTE_ORDER_MARK = 65279;

// pkg/src/workflows/execution.ts
var IDLE = ["idle"];
var Execution = class {
  #core;
  #engine;
  #served;
  #route;
  #options;
  #asked = /* @__PURE__ */ new Map();
  #response;
  #respond;
  #fail;
  #context;
  #polling = false;
  #executing = false;
  #returned = false;
  #ended = false;
  constructor(core2, engine, served2, route, options) {
    this.#core = core2;
    this.#engine = engine;
    this.#served = served2;
    this.#route = route;
    this.#options = options;
    this.#response = new Promise((resolve, reject) => {
      this.#respond = resolve;
      this.#fail = reject;
    });
  }
  /** Serves the delivery. Resolves when the engine responds, whatever the function is still doing. */
  perform() {
    this.#do(this.#tell((engine) => engine.begin()));
    return this.#response;
  }
  run(name, stepFunction) {
    return this.#ask(name, (engine) => engine.requestRun(name), stepFunction);
  }
  sleep(name, duration) {
    return this.#ask(name, (engine) => engine.requestSleep(name, duration));
  }
  sleepUntil(name, moment) {
    const seconds = typeof moment === "number" ? moment : Math.round(new Date(moment).getTime() / 1e3);
    return this.#ask(name, (engine) => engine.requestSleepUntil(name, seconds));
  }
  cancel() {
    this.#log("cancels the run");
    const cancel = this.#core.Failure.cancel();
    this.#do(this.#tell((engine) => this.#executing ? engine.handleStepFailure(cancel) : engine.handleFailure(cancel)));
    return forever();
  }
  /** Does duties until the engine waits for the function. */
  async #do(duty) {
    try {
      for (let next = duty; ; ) {
        switch (next[0]) {
          case "send":
            next = await this.#send(next);
            continue;
          case "run":
            next = await this.#runStep(next[1]);
            continue;
          case "recover":
            next = await this.#recover(next);
            continue;
          case "start":
            return this.#start(next);
          case "settle":
            return this.#settle(next);
          case "respond":
            return this.#end(next);
          case "idle":
            return;
        }
      }
    } catch (error) {
      this.#fail(error);
    }
  }
  async #send([, ...request]) {
    try {
      const { status, body } = await send(request, this.#served.retry);
      this.#log(`sent ${request[0]} ${request[1]}: ${status}`);
      return this.#tell((engine) => engine.handleResponse(status, body));
    } catch (error) {
      this.#log(`could not send ${request[0]} ${request[1]}: ${reasonOf(error)}`);
      return this.#tell((engine) => engine.handleSendError(reasonOf(error)));
    }
  }
  #start([, raw, first, workflowRunId, url, headers, label, retried, createdAt]) {
    try {
      const requestPayload = readPayload(raw, this.#options);
      if (first) this.#engine.setTriggerBody(writePayload(requestPayload));
      const { env } = this.#served;
      const facts = { requestPayload, workflowRunId, url, env, retried, workflowRunCreatedAt: createdAt ?? 0 };
      this.#context = new WorkflowContext({ ...facts, headers: new Headers(headerPairs(headers)), labels: label?.split(",") ?? [] }, this);
    } catch (error) {
      this.#do(this.#tell((engine) => engine.handleFailure(failureOf(this.#core, error))));
      return;
    }
    this.#call(this.#context);
  }
  /** Calls the function, once. */
  async #call(context) {
    let duty;
    try {
      duty = writing(await this.#route(context), (engine, result) => engine.handleReturn(result));
    } catch (error) {
      duty = (engine) => engine.handleFailure(failureOf(this.#core, error));
    }
    this.#returned = true;
    this.#do(this.#tell(duty));
  }
  /** Gives remembered results to the function. */
  #settle([, ...results]) {
    for (let index = 0; index < results.length; index += 2) {
      this.#take(results[index])?.settle(recalled(results[index + 1]));
    }
    if (this.#returned) this.#poll();
  }
  async #runStep(ticket) {
    const { name, stepFunction } = this.#take(ticket);
    this.#log(`runs step '${name}'`);
    this.#executing = true;
    try {
      const result = await stepFunction();
      return this.#tell(writing(result, (engine, out) => engine.handleResult(out)));
    } catch (error) {
      this.#log(`step '${name}' failed: ${reasonOf(error)}`);
      return this.#tell((engine) => engine.handleStepFailure(failureOf(this.#core, error)));
    } finally {
      this.#executing = false;
    }
  }
  async #recover([, failStatus, failResponse, failStack, headers]) {
    try {
      const failure = { context: this.#context, failStatus, failResponse, failStack, failHeaders: JSON.parse(headers) };
      const result = JSON.stringify(await this.#options.failureFunction?.(failure));
      return this.#tell((engine) => engine.handleRecovered(result));
    } catch (error) {
      return this.#tell((engine) => engine.handleRecoveryFailure(failureOf(this.#core, error)));
    }
  }
  #end([, status, headers, body]) {
    this.#log(`answers ${status}`);
    this.#ended = true;
    this.#engine.free();
    this.#respond(new Response(body, { status, headers: headerPairs(headers) }));
  }
  #ask(name, request, stepFunction) {
    if (this.#ended) return forever();
    let ticket;
    try {
      ticket = adopting(WorkflowError, () => request(this.#engine));
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((settle) => {
      this.#asked.set(ticket, { name, stepFunction, settle });
      this.#poll();
    });
  }
  /**
   * Polls the engine once no further step can join the group. The third turn of the microtask queue is when the
   * official SDK closes a group; steps that are asked for later are asked for after it.
   */
  #poll() {
    if (this.#polling) return;
    this.#polling = true;
    queueMicrotask(
      () => queueMicrotask(
        () => queueMicrotask(() => {
          this.#polling = false;
          this.#do(this.#tell((engine) => engine.poll()));
        })
      )
    );
  }
  #take(ticket) {
    const asked = this.#asked.get(ticket);
    this.#asked.delete(ticket);
    return asked;
  }
  /** Tells the engine something, unless the invocation is over. */
  #tell(event) {
    return this.#ended ? IDLE : event(this.#engine);
  }
  #log(event) {
    if (this.#options.verbose) console.log(`[workflow] ${this.#context?.workflowRunId ?? "-"} ${event}`);
  }
};
function writing(result, tell) {
  let text;
  try {
    text = JSON.stringify(result);
  } catch (error) {
    return (engine) => engine.handleUnserializableResult(reasonOf(error));
  }
  return (engine) => tell(engine, text);
}
function recalled(text) {
  if (text === void 0) return void 0;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
var forever = () => new Promise(() => {
});

// pkg/src/workflows/settings.ts
async function served(options, env) {
  const { Endpoint: Endpoint2 } = await core();
  const { retry, ...client } = clientSettings(options.qstashClient, env);
  const settings = {
    ...client,
    ...signingKeys(options, env),
    url: options.url,
    workflowBaseUrl: options.baseUrl ?? env["UPSTASH_WORKFLOW_URL"],
    clockTolerance: options.clockTolerance,
    checkSubject: options.checkSubject,
    hasFailureFunction: options.failureFunction !== void 0
  };
  return { endpoint: new Endpoint2(JSON.stringify(settings)), env, retry };
}
function clientSettings(client, env) {
  return client && SETTINGS in client ? client[SETTINGS](env) : brokerSettings(client ?? {}, env);
}
function signingKeys(options, env) {
  if (!("receiver" in options)) {
    return { currentSigningKey: env["QSTASH_CURRENT_SIGNING_KEY"], nextSigningKey: env["QSTASH_NEXT_SIGNING_KEY"] };
  }
  if (!options.receiver) return {};
  if (KEYS in options.receiver) {
    const { currentSigningKey = "", nextSigningKey } = options.receiver[KEYS](env);
    return { currentSigningKey, nextSigningKey };
  }
  throw new WorkflowError("the option receiver must be a Receiver of this package, or undefined", "InvalidConfiguration", false);
}

// pkg/src/workflows/serve.ts
function serve(routeFunction, options = {}) {
  const workflow = new Workflow(routeFunction, options);
  const handler = (request) => workflow.answer(request);
  return {
    handler,
    POST: handler,
    fetch: (first, env) => "request" in first ? workflow.answer(first.request, first.env) : workflow.answer(first, env)
  };
}
var Workflow = class {
  #route;
  #options;
  /** By environment: a Worker gets its bindings with every request. */
  #served = /* @__PURE__ */ new WeakMap();
  constructor(route, options) {
    this.#route = route;
    this.#options = options;
  }
  async answer(request, bindings) {
    try {
      const body = new Uint8Array(await request.arrayBuffer());
      const [bindingsOfCore, served2, digest] = await Promise.all([core(), this.#serve(bindings), digestOf(body)]);
      const { method, url, headers } = request;
      const engine = new bindingsOfCore.Invocation(served2.endpoint, method, url, headerText(headers), body, digest, Date.now());
      return await new Execution(bindingsOfCore, engine, served2, this.#route, this.#options).perform();
    } catch (error) {
      return unserved(error);
    }
  }
  #serve(bindings) {
    const env = this.#options.env ?? bindings ?? processEnvironment();
    let made = this.#served.get(env);
    if (!made) {
      made = served(this.#options, env);
      made.catch(() => this.#served.delete(env));
      this.#served.set(env, made);
    }
    return made;
  }
};
function unserved(error) {
  const code = error instanceof OrchestrationError ? error.code : "Internal";
  const body = { error: code, message: reasonOf(error), stack: error instanceof Error ? error.stack : void 0 };
  return new Response(JSON.stringify(body), { status: 500, headers: { "content-type": "application/json", "upstash-workflow-sdk-version": "1" } });
}

// <stdin>
boot(() => Promise.resolve().then(() => __toESM(require("./module.inline.cjs"))));
