import Glibc
import Sardonyx
import SardonyxPipelines

/// Folders and small files.
enum Files {
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "we") else {
            throw CommandFailure(.badInput, "\(path): cannot be written: \(String(cString: strerror(errno)))")
        }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else {
            throw CommandFailure(.badInput, "\(path): cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    static func join(_ folder: String, _ name: String) -> String {
        folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }

    /// Writes a model's outputs into a folder, one file each.
    static func writeOutputs(_ outputs: [(name: String, value: Datum)], to folder: String) throws {
        try makeFolder(folder)
        var taken: [String: String] = [:]
        for (name, value) in outputs {
            // A slash would be a folder; all else in a name is allowed in a file's name.
            let base = String(name.map { $0 == "/" ? "_" : $0 })
            if let other = taken.updateValue(name, forKey: base) {
                throw CommandFailure(.badModel, "outputs '\(other)' and '\(name)' would both be written to '\(base)'")
            }
            var isNumPy = false
            if case .tensor(let tensor) = value { isNumPy = tensor.hasNumPyForm }
            try asInput { try value.write(to: join(folder, base + (isNumPy ? ".npy" : ".pb"))) }
        }
    }
}

/// What /proc/self/status says.
enum Process {
    /// Resident memory in MB of 1,048,576 bytes.
    static var residentMegabytes: Double { status("VmRSS") }
    /// The most that was ever resident, in MB.
    static var peakResidentMegabytes: Double { status("VmHWM") }

    private static func status(_ field: String) -> Double {
        guard let text = try? smallText("/proc/self/status") else { return 0 }
        for line in text.split(separator: "\n") where line.hasPrefix(field + ":") {
            let digits = line.filter { $0 >= "0" && $0 <= "9" }
            return (Double(String(digits)) ?? 0) / 1024
        }
        return 0
    }

    /// Nanoseconds of a clock that only goes forward.
    static var now: UInt64 { nanoseconds(of: CLOCK_MONOTONIC) }

    private static func nanoseconds(of clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
