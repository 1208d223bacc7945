import Glibc
import Testing

/// What a process left behind.
package struct CommandResult {
    /// The exit code, or minus the signal's number.
    package let status: Int32
    package let output: String
    package let errors: String
}

/// The number of a CPU that this process may use, as text.
package func firstAllowedCPU() -> String {
    let line = String(decoding: fileBytes("/proc/self/status"), as: UTF8.self).split(separator: "\n")
        .first { $0.hasPrefix("Cpus_allowed_list:") }
    return line?.split(whereSeparator: { !$0.isNumber }).first.map(String.init) ?? "0"
}

/// Runs a program that was built beside the tests, in a folder.
/// - Parameter wrapper: a command that runs the program, such as `taskset --cpu-list 0`.
package func runBuilt(
    _ program: String, _ arguments: [String], in folder: TemporaryFolder, under wrapper: [String] = []
) throws -> CommandResult {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    var parts = String(decoding: buffer[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        .split(separator: "/", omittingEmptySubsequences: false)
    parts[parts.count - 1] = program[...]
    let command = parts.joined(separator: "/")
    // The runner may be swift's own program: then the tests' bundle among the arguments tells where things are.
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? ""
    let beside = (bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast() + [program[...]])
        .joined(separator: "/")
    let candidates: [String] = [command, beside]
    let path = try #require(candidates.first { access($0, X_OK) == 0 }, "there is no built \(program)")

    // Outside the folder, which tests look into.
    let captures = TemporaryFolder()
    // A shell sets the folder; posix_spawn has no portable way.
    let script = "cd \"$1\" && shift && exec \"$@\" >\"$0/out\" 2>\"$0/err\" </dev/null"
    let words = ["/bin/sh", "-c", script, captures.path, folder.path] + wrapper + [path] + arguments
    var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var process: pid_t = 0
    let failure = posix_spawn(&process, "/bin/sh", nil, nil, &pointers, environ)
    try #require(failure == 0)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    let code = status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F)
    return CommandResult(
        status: code, output: String(decoding: fileBytes(captures.path + "/out"), as: UTF8.self),
        errors: String(decoding: fileBytes(captures.path + "/err"), as: UTF8.self))
}
