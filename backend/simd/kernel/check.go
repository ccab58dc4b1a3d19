package kernel

import "fmt"

// need panics unless x holds rows rows of length columns, ld apart.
func need(function, what string, x []float32, rows, columns, ld int) {
	needLength(function, what, len(x), rows, columns, ld)
}

// needLength is need for a slice of any type, of that length.
func needLength(function, what string, length, rows, columns, ld int) {
	if rows < 0 || columns < 0 || ld < columns || rows > 0 && columns > 0 && length < (rows-1)*ld+columns {
		panic(fmt.Sprintf("kernel.%s: %s has %d values, want %d rows of %d, %d apart", function, what, length, rows, columns, ld))
	}
}

// span panics unless 0 ≤ from ≤ to ≤ n.
func span(function string, from, to, n int) {
	if from < 0 || from > to || to > n {
		panic(fmt.Sprintf("kernel.%s: part %d to %d of %d", function, from, to, n))
	}
}
