import Sardonyx

/// Results of a verification for other programs.
enum VerifyReport {
    typealias Entry = (item: VerifyCase, result: VerifyCase.Result)

    static func json(_ entries: [Entry]) -> JSON {
        let passed = entries.filter { $0.result.outcome == .pass }.count
        return .object([
            ("passed", .int(passed)), ("failed", .int(entries.count - passed)),
            (
                "cases",
                .array(
                    entries.map { item, result in
                        .object([
                            ("name", .string(item.name)), ("path", .string(item.folder)),
                            ("outcome", .string(result.outcome.rawValue)), ("max_error", .number(result.maximumError)),
                            ("ms", .number(result.milliseconds)), ("message", .string(result.message)),
                        ])
                    })
            ),
        ])
    }

    static func junit(_ entries: [Entry]) -> String {
        let failures = entries.filter { $0.result.outcome == .fail }.count
        let errors = entries.filter { $0.result.outcome == .error }.count
        let seconds = entries.reduce(0) { $0 + $1.result.milliseconds } / 1000
        var lines = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<testsuite name=\"sardonyx verify\" tests=\"\(entries.count)\" failures=\"\(failures)\" errors=\"\(errors)\" "
                + "time=\"\(fixed(seconds))\">",
        ]
        for (item, result) in entries {
            let start =
                "  <testcase classname=\"sardonyx.verify\" name=\"\(escaped(item.name))\" "
                + "time=\"\(fixed(result.milliseconds / 1000))\""
            switch result.outcome {
            case .pass: lines.append(start + "/>")
            case .fail: lines.append(start + "><failure message=\"\(escaped(result.message))\"/></testcase>")
            case .error: lines.append(start + "><error message=\"\(escaped(result.message))\"/></testcase>")
            }
        }
        return (lines + ["</testsuite>", ""]).joined(separator: "\n")
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "&#10;"
            // XML 1.0 has no form for other control characters.
            case _ where scalar.value < 0x20 && scalar != "\t": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
