import CAllocationCount
import Glibc

/// Where an allocation came from: return addresses, the innermost first.
struct CallStack: Hashable {
    let addresses: [UInt]
    let byteCount: UInt64

    /// The distinct ones among those counted last.
    static func recorded(limit: Int) -> [CallStack] {
        var stacks: [CallStack] = []
        var number: Int32 = 0
        while stacks.count < limit, let stack = allocation_count_stack(number) {
            let addresses = withUnsafeBytes(of: stack.pointee.frames) { frames in
                frames.bindMemory(to: UInt.self).prefix(Int(stack.pointee.depth)).map { $0 }
            }
            let call = CallStack(addresses: addresses, byteCount: stack.pointee.bytes)
            if !stacks.contains(call) { stacks.append(call) }
            number += 1
        }
        return stacks
    }

    /// A line for each function, this target's own left out.
    var text: String {
        "  \(byteCount) bytes\n" + addresses.dropFirst(2).map { "    " + Self.name(of: $0) }.joined(separator: "\n")
    }

    private static func name(of address: UInt) -> String {
        guard let pointer = UnsafeRawPointer(bitPattern: address), let name = allocation_function_name(pointer) else {
            return "0x" + String(address, radix: 16)
        }
        return readable(name)
    }

    /// A Swift name as people write it.
    private static func readable(_ name: UnsafePointer<CChar>) -> String {
        typealias Demangle =
            @convention(c) (
                UnsafePointer<CChar>, Int, UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<Int>?, UInt32
            ) -> UnsafeMutablePointer<CChar>?
        guard let symbol = dlsym(nil, "swift_demangle"),
            let text = unsafeBitCast(symbol, to: Demangle.self)(name, strlen(name), nil, nil, 0)
        else { return String(cString: name) }
        defer { free(text) }
        return String(cString: text)
    }
}
