import Glibc

/// Results on standard output; messages, and progress where a person looks, on standard error.
enum Terminal {
    static let isInteractive = isatty(STDERR_FILENO) == 1

    /// Writes a line to standard output, at once. A reader who has gone away ends the process as SIGPIPE does, a full disk
    /// as bad output.
    static func print(_ text: String) {
        if put(text + "\n", STDOUT_FILENO) { return }
        if errno == EPIPE { Glibc.exit(128 + SIGPIPE) }
        error("standard output cannot be written: \(String(cString: strerror(errno)))")
        Glibc.exit(ExitStatus.badInput.rawValue)
    }

    /// Writes to standard error.
    static func write(_ text: String) { _ = put(text, STDERR_FILENO) }

    private static func put(_ text: String, _ descriptor: Int32) -> Bool {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return false }
            done += count
        }
        return true
    }

    static func error(_ message: String) { write("error: \(message)\n") }

    static func warning(_ message: String) { write("warning: \(message)\n") }

    /// Replaces the current line, on a terminal only.
    static func progress(_ text: String) {
        if isInteractive { write("\r\u{1B}[K\(text)") }
    }

    static func endProgress() { progress("") }
}
