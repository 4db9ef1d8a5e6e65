/**
 * Encrypted guests on AMD: the commands of `KVM_MEMORY_ENCRYPT_OP` for SEV, SEV-ES and SEV-SNP
 * (the kernel's Documentation/virt/kvm/x86/amd-memory-encryption.rst). Every `…Uaddr` is a host
 * address, with the bytes there in the `…Len` behind it.
 *
 * @module
 */

/** `struct kvm_sev_cmd`: a command, its data and the firmware's answer. */
export const kvmSevCmd = {
  /** `SevCommand`. */
  id: "u32",
  pad0: "u32",
  /** Host address of the command's own structure. */
  data: "u64",
  /** Out: the firmware's error code. */
  error: "u32",
  /** An open /dev/sev, for the commands that ask for it. */
  sevFd: "u32",
} as const;

/** `struct kvm_sev_init`: data of `SevCommand.INIT2`. */
export const kvmSevInit = {
  /** VMSA features, as `SystemAttr.SEV_VMSA_FEATURES` lists them. */
  vmsaFeatures: "u64",
  flags: "u32",
  /** Highest GHCB protocol version; 0 lets KVM choose. */
  ghcbVersion: "u16",
  pad1: "u16",
  pad2: "u32[8]",
} as const;

/** `struct kvm_sev_launch_start`: data of `SevCommand.LAUNCH_START`. */
export const kvmSevLaunchStart = {
  /** In: 0 for a new key. Out: the firmware's handle. */
  handle: "u32",
  policy: "u32",
  dhUaddr: "u64",
  dhLen: "u32",
  pad0: "u32",
  sessionUaddr: "u64",
  sessionLen: "u32",
  pad1: "u32",
} as const;

/** `struct kvm_sev_launch_update_data`: data of `SevCommand.LAUNCH_UPDATE_DATA`. */
export const kvmSevLaunchUpdateData = {
  uaddr: "u64",
  len: "u32",
  pad0: "u32",
} as const;

/** `struct kvm_sev_launch_secret`: data of `SevCommand.LAUNCH_SECRET`. */
export const kvmSevLaunchSecret = {
  hdrUaddr: "u64",
  hdrLen: "u32",
  pad0: "u32",
  guestUaddr: "u64",
  guestLen: "u32",
  pad1: "u32",
  transUaddr: "u64",
  transLen: "u32",
  pad2: "u32",
} as const;

/** `struct kvm_sev_launch_measure`: data of `SevCommand.LAUNCH_MEASURE`. */
export const kvmSevLaunchMeasure = {
  uaddr: "u64",
  /** In: room. Out: bytes. */
  len: "u32",
  pad0: "u32",
} as const;

/** `struct kvm_sev_guest_status`: data of `SevCommand.GUEST_STATUS`. */
export const kvmSevGuestStatus = {
  handle: "u32",
  policy: "u32",
  state: "u32",
} as const;

/** `struct kvm_sev_dbg`: data of `SevCommand.DBG_DECRYPT` and `SevCommand.DBG_ENCRYPT`. */
export const kvmSevDbg = {
  srcUaddr: "u64",
  dstUaddr: "u64",
  len: "u32",
  pad0: "u32",
} as const;

/** `struct kvm_sev_attestation_report`: data of `SevCommand.GET_ATTESTATION_REPORT`. */
export const kvmSevAttestationReport = {
  mnonce: "u8[16]",
  uaddr: "u64",
  len: "u32",
  pad0: "u32",
} as const;

/** `struct kvm_sev_send_start`: data of `SevCommand.SEND_START`. */
export const kvmSevSendStart = {
  policy: "u32",
  pad0: "u32",
  pdhCertUaddr: "u64",
  pdhCertLen: "u32",
  pad1: "u32",
  platCertsUaddr: "u64",
  platCertsLen: "u32",
  pad2: "u32",
  amdCertsUaddr: "u64",
  amdCertsLen: "u32",
  pad3: "u32",
  sessionUaddr: "u64",
  sessionLen: "u32",
  pad4: "u32",
} as const;

/** `struct kvm_sev_send_update_data`: data of `SevCommand.SEND_UPDATE_DATA`. */
export const kvmSevSendUpdateData = {
  hdrUaddr: "u64",
  hdrLen: "u32",
  pad0: "u32",
  guestUaddr: "u64",
  guestLen: "u32",
  pad1: "u32",
  transUaddr: "u64",
  transLen: "u32",
  pad2: "u32",
} as const;

/** `struct kvm_sev_receive_start`: data of `SevCommand.RECEIVE_START`. */
export const kvmSevReceiveStart = {
  handle: "u32",
  policy: "u32",
  pdhUaddr: "u64",
  pdhLen: "u32",
  pad0: "u32",
  sessionUaddr: "u64",
  sessionLen: "u32",
  pad1: "u32",
} as const;

/** `struct kvm_sev_receive_update_data`: data of `SevCommand.RECEIVE_UPDATE_DATA`. */
export const kvmSevReceiveUpdateData = {
  hdrUaddr: "u64",
  hdrLen: "u32",
  pad0: "u32",
  guestUaddr: "u64",
  guestLen: "u32",
  pad1: "u32",
  transUaddr: "u64",
  transLen: "u32",
  pad2: "u32",
} as const;

/** `struct kvm_sev_snp_launch_start`: data of `SevCommand.SNP_LAUNCH_START`. */
export const kvmSevSnpLaunchStart = {
  /** Guest policy; `SystemAttr.SNP_POLICY_BITS` tells which bits KVM takes. */
  policy: "u64",
  /** Guest-visible workarounds of the operating system. */
  gosvw: "u8[16]",
  flags: "u16",
  pad0: "u8[6]",
  pad1: "u64[4]",
} as const;

/** `struct kvm_sev_snp_launch_update`: data of `SevCommand.SNP_LAUNCH_UPDATE`. */
export const kvmSevSnpLaunchUpdate = {
  /** First guest frame; advanced by what was done. */
  gfnStart: "u64",
  uaddr: "u64",
  len: "u64",
  /** `SnpPageType`. */
  type: "u8",
  pad0: "u8",
  flags: "u16",
  pad1: "u32",
  pad2: "u64[4]",
} as const;

/** `struct kvm_sev_snp_launch_finish`: data of `SevCommand.SNP_LAUNCH_FINISH`. */
export const kvmSevSnpLaunchFinish = {
  idBlockUaddr: "u64",
  idAuthUaddr: "u64",
  idBlockEn: "u8",
  authKeyEn: "u8",
  vcekDisabled: "u8",
  hostData: "u8[32]",
  pad0: "u8[3]",
  flags: "u16",
  pad1: "u64[4]",
} as const;

/** `struct kvm_exit_snp_req_certs`: the guest wants certificates (`ExitReason.SNP_REQ_CERTS`). */
export const kvmExitSnpReqCerts = {
  /** Where they go. */
  gpa: "gpa",
  /** In: pages of room. Out: pages needed, when that is too little. */
  npages: "u64",
  /** Written by user space: 0, ENOSPC for too little room, EAGAIN or EIO. */
  ret: "u64",
} as const;
