/** Hiding secrets in what is logged. */
export { isSecretName, type MaskOptions, maskSensitiveData, maskText } from "../../privacy/mask.js";
