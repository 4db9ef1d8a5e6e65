/**
 * Commands of encrypted guests on AMD, and the struct that each takes.
 *
 * @module
 */

import {
  kvmSevAttestationReport,
  kvmSevDbg,
  kvmSevGuestStatus,
  kvmSevInit,
  kvmSevLaunchMeasure,
  kvmSevLaunchSecret,
  kvmSevLaunchStart,
  kvmSevLaunchUpdateData,
  kvmSevReceiveStart,
  kvmSevReceiveUpdateData,
  kvmSevSendStart,
  kvmSevSendUpdateData,
  kvmSevSnpLaunchFinish,
  kvmSevSnpLaunchStart,
  kvmSevSnpLaunchUpdate,
  SevCommand,
} from "../../ffi/uapi/mod.ts";

/** By `SevCommand`; those that are missing take none. */
export const sevData = {
  [SevCommand.INIT2]: kvmSevInit,
  [SevCommand.LAUNCH_START]: kvmSevLaunchStart,
  [SevCommand.LAUNCH_UPDATE_DATA]: kvmSevLaunchUpdateData,
  [SevCommand.LAUNCH_SECRET]: kvmSevLaunchSecret,
  [SevCommand.LAUNCH_MEASURE]: kvmSevLaunchMeasure,
  [SevCommand.GUEST_STATUS]: kvmSevGuestStatus,
  [SevCommand.DBG_DECRYPT]: kvmSevDbg,
  [SevCommand.DBG_ENCRYPT]: kvmSevDbg,
  [SevCommand.GET_ATTESTATION_REPORT]: kvmSevAttestationReport,
  [SevCommand.SEND_START]: kvmSevSendStart,
  [SevCommand.SEND_UPDATE_DATA]: kvmSevSendUpdateData,
  [SevCommand.RECEIVE_START]: kvmSevReceiveStart,
  [SevCommand.RECEIVE_UPDATE_DATA]: kvmSevReceiveUpdateData,
  [SevCommand.SNP_LAUNCH_START]: kvmSevSnpLaunchStart,
  [SevCommand.SNP_LAUNCH_UPDATE]: kvmSevSnpLaunchUpdate,
  [SevCommand.SNP_LAUNCH_FINISH]: kvmSevSnpLaunchFinish,
} as const;

/** A command of {@linkcode sevData}. */
export type SevDataCommand = keyof typeof sevData;
