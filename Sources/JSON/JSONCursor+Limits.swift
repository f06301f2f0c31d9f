extension JSONCursor {
  /// The elements of the array that must stand here, of which there are at most `limit`.
  ///
  /// For lists whose elements are compared with each other, or stand for many values each: no input
  /// may keep a program busy past its deadline.
  public func elements(atMost limit: Int) throws(JSONDecodingError) -> [JSONCursor] {
    let elements = try elements
    guard elements.count <= limit else {
      throw error("\(elements.count) elements are too many; at most \(limit) are legal")
    }
    return elements
  }
}
