/** A socket filter (classic BPF) that drops datagrams whose first message has this nl_pid and lets all others
 *  pass. Instructions are struct sock_filter of linux/filter.h: u16 code, u8 jump if true, u8 jump if false,
 *  u32 operand. BPF loads words in network order and nl_pid is in host order: the operand is turned around. */
export function writerFilter(portId: number): Uint8Array {
  const instructions = [
    [loadWord, 0, 0, portIdOffset],
    [jumpIfEqual, 0, 1, swapBytes(portId)],
    [returnConstant, 0, 0, 0],
    [returnConstant, 0, 0, 0xffff_ffff],
  ] as const
  const program = new Uint8Array(filterInstructionBytes * instructions.length)
  const view = new DataView(program.buffer)
  instructions.forEach(([code, whenTrue, whenFalse, operand], index) => {
    const at = filterInstructionBytes * index
    view.setUint16(at, code, true)
    view.setUint8(at + 2, whenTrue)
    view.setUint8(at + 3, whenFalse)
    view.setUint32(at + 4, operand, true)
  })
  return program
}

/** sizeof(struct sock_filter) */
export const filterInstructionBytes = 8

/** BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ | BPF_K, BPF_RET | BPF_K; linux/bpf_common.h */
const loadWord = 0x20
const jumpIfEqual = 0x15
const returnConstant = 0x06
/** offsetof(struct nlmsghdr, nlmsg_pid) */
const portIdOffset = 12

function swapBytes(value: number): number {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint32(0, value, true)
  return view.getUint32(0, false)
}
