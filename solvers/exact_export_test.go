package solvers

// Zoom makes small spaces count as fine ones. It returns what ends that.
func Zoom() (restore func()) {
	f, l, s := fine, zoomLevels, zoomSizes
	fine, zoomLevels, zoomSizes = 0, 2, 2
	return func() { fine, zoomLevels, zoomSizes = f, l, s }
}

// Shrink makes small problems take the ways of large ones: few scenarios stand
// for all, and the search is best first. It returns what ends that.
func Shrink() (restore func()) {
	n, l := thinnest, largeSpace
	thinnest, largeSpace = 8, 0
	return func() { thinnest, largeSpace = n, l }
}
