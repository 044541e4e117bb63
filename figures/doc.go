// Package figures draws results: charts, bars, Gantt charts, workflows and
// tables. It runs nothing; a picture is made of the numbers it is given.
//
// Chart, Bars, Gantt, Graph and Table are values that describe a picture and
// are its data at the same time. Save writes a picture as PNG for slides, SVG
// and PDF for papers, and exactly the numbers that it shows as CSV. The same
// value gives the same bytes in every file, run after run.
//
// A picture is 400 points wide, a column and a half of a paper; its fonts are
// meant for that size. What needs more room, such as a long title or a legend
// below, makes it higher. Nothing is cut off: what cannot be drawn, such as a
// NaN or a zero on a logarithmic axis, is an error that names its place in the
// data, and then nothing is written at all.
//
// Everything is drawn on the canvases of gonum.org/v1/plot/vg, which turn it
// into the formats; fonts, scales and the tick type are those of gonum plot.
// The layout is this package's own, because plot.Plot knows where its data and
// labels come to lie only while it draws them. That is too late for a legend
// that keeps off the data and for labels that keep off each other.
package figures
