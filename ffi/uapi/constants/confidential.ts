/**
 * Commands and numbers of encrypted guests.
 *
 * @module
 */

/** `KVM_SEV_*`: commands of `KVM_MEMORY_ENCRYPT_OP` on AMD. */
export const SevCommand = {
  INIT: 0,
  ES_INIT: 1,
  LAUNCH_START: 2,
  LAUNCH_UPDATE_DATA: 3,
  LAUNCH_UPDATE_VMSA: 4,
  LAUNCH_SECRET: 5,
  LAUNCH_MEASURE: 6,
  LAUNCH_FINISH: 7,
  SEND_START: 8,
  SEND_UPDATE_DATA: 9,
  SEND_UPDATE_VMSA: 10,
  SEND_FINISH: 11,
  RECEIVE_START: 12,
  RECEIVE_UPDATE_DATA: 13,
  RECEIVE_UPDATE_VMSA: 14,
  RECEIVE_FINISH: 15,
  GUEST_STATUS: 16,
  DBG_DECRYPT: 17,
  DBG_ENCRYPT: 18,
  CERT_EXPORT: 19,
  GET_ATTESTATION_REPORT: 20,
  SEND_CANCEL: 21,
  INIT2: 22,
  SNP_LAUNCH_START: 100,
  SNP_LAUNCH_UPDATE: 101,
  SNP_LAUNCH_FINISH: 102,
  SNP_ENABLE_REQ_CERTS: 103,
} as const;

/** `KVM_SEV_SNP_PAGE_TYPE_*`: what a page of `SevCommand.SNP_LAUNCH_UPDATE` is. */
export const SnpPageType = {
  NORMAL: 1,
  ZERO: 3,
  UNMEASURED: 4,
  SECRETS: 5,
  CPUID: 6,
} as const;

/** `KVM_SEV_SNP_*_SIZE`: bytes of what `SevCommand.SNP_LAUNCH_FINISH` is given. */
export const SnpSize = {
  ID_BLOCK: 96,
  ID_AUTH: 4096,
  FINISH_DATA: 32,
} as const;

/** `KVM_TDX_*`: commands of `KVM_MEMORY_ENCRYPT_OP` on Intel. */
export const TdxCommand = {
  CAPABILITIES: 0,
  INIT_VM: 1,
  INIT_VCPU: 2,
  INIT_MEM_REGION: 3,
  FINALIZE_VM: 4,
  GET_CPUID: 5,
} as const;

/** `KVM_TDX_MEASURE_*`: flags of `TdxCommand.INIT_MEM_REGION`. */
export const TdxMeasure = {
  /** The pages count into the measurement. */
  MEMORY_REGION: 1,
} as const;
