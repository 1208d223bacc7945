extension String {
    /// The text of a buffer that C ended with a zero; bytes that are no UTF-8 become U+FFFD.
    init(cMessage: [CChar]) {
        self.init(decoding: cMessage.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
