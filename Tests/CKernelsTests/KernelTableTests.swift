import CKernelTable
import CKernels
import Testing

/// An instruction set of this machine.
struct Level: CustomTestStringConvertible, Sendable {
    let isa: sdx_isa
    var testDescription: String { String(cString: sdx_isa_name(isa)) }

    static let supported = (0..<UInt32(SDX_ISA_COUNT)).map { Level(isa: sdx_isa(rawValue: $0)) }
        .filter { sdx_isa_supported($0.isa) != 0 }
}

/// A check of the table, by its index there.
struct Check: CustomTestStringConvertible, Sendable {
    let index: Int32
    let testDescription: String

    static let families = list { kernel_table_family($0).map { String(cString: $0.pointee.name) } }
    static let pool = list { kernel_table_pool_check($0).map { String(cString: $0.pointee.name) } }
    static let functions = list { index in
        kernel_table_function_at(index).map { String(cString: $0.pointee.name) }
    }

    /// Names by index until there is none.
    private static func list(_ name: (Int32) -> String?) -> [Check] {
        var checks: [Check] = []
        while let next = name(Int32(checks.count)) {
            checks.append(Check(index: Int32(checks.count), testDescription: next))
        }
        return checks
    }
}

/// The C kernels against naive references in double: `Tests/CKernelTable` has the rows. Every check runs in a child
/// process, for the cap on the instruction set is global and other suites run kernels at the same time; one by one,
/// for each uses all CPUs.
@Suite("C kernels", .serialized)
struct KernelTableTests {
    @Test("the rows of a family", arguments: Check.families, Level.supported)
    func family(check: Check, level: Level) {
        expectNoFailure { message, size in
            kernel_table_run_isolated(Int32(level.isa.rawValue), kernel_table_family(check.index), nil, message, size)
        }
    }

    @Test("the error of a function", arguments: Check.functions, Level.supported)
    func function(check: Check, level: Level) {
        expectNoFailure { message, size in
            let function = kernel_table_function_at(check.index)
            return kernel_table_run_isolated(Int32(level.isa.rawValue), nil, function, message, size)
        }
    }

    @Test("the worker pool", arguments: Check.pool)
    func workerPool(check: Check) {
        expectNoFailure { message, size in
            let pool = kernel_table_pool_check(check.index)
            return kernel_table_run_isolated(Int32(sdx_isa_detected().rawValue), pool, nil, message, size)
        }
    }

    private func expectNoFailure(
        _ run: (UnsafeMutablePointer<CChar>, Int) -> Int32, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        var message = [CChar](repeating: 0, count: 1024)
        let failures = message.withUnsafeMutableBufferPointer { run($0.baseAddress!, $0.count) }
        let text = message.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        #expect(failures == 0, "\(text)", sourceLocation: sourceLocation)
    }
}
