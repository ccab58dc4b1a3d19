package checkpoint

import (
	"runtime"
	"sync"
)

// transpose returns a matrix [rows, columns] of elements of size bytes as [columns, rows].
func transpose(data []byte, rows, columns, size int) []byte {
	out := make([]byte, len(data))
	transposeTo(out, data, rows, columns, size)
	return out
}

// transposeTo is transpose into out, which is as long as data. Large matrices are divided between the processors.
func transposeTo(out, data []byte, rows, columns, size int) {
	bands := 1
	if rows*columns >= 1<<16 {
		bands = min(runtime.GOMAXPROCS(0), (columns+tile-1)/tile)
	}
	height := ((columns+bands-1)/bands + tile - 1) / tile * tile // of a band of out
	var wait sync.WaitGroup
	for begin := 0; begin < columns; begin += height {
		end := min(begin+height, columns)
		if end == columns {
			transposeBand(out, data, rows, columns, begin, end, size)
			break
		}
		wait.Go(func() { transposeBand(out, data, rows, columns, begin, end, size) })
	}
	wait.Wait()
}

// tile is the side of the squares in which matrices of float32 are transposed. Two of them below each other fill a line of
// the cache of out, four would be more lines of data a power of two apart than a cache keeps.
const tile = 8

// transposeBand makes rows begin to end-1 of out, which are columns of data.
func transposeBand(out, data []byte, rows, columns, begin, end, size int) {
	from, ok := viewAs[uint32](data)
	to, aligned := viewAs[uint32](out)
	if size != 4 || !ok || !aligned {
		transposePlain(out, data, rows, columns, 0, rows, begin, end, size)
		return
	}
	wholeRows, wholeColumns := rows-rows%tile, end-(end-begin)%tile
	for row := 0; row < wholeRows; row += 2 * tile {
		for column := begin; column < wholeColumns; column += tile {
			transposeTile(to[column*rows+row:], from[row*columns+column:], rows, columns)
			if next := row + tile; next < wholeRows {
				transposeTile(to[column*rows+next:], from[next*columns+column:], rows, columns)
			}
		}
	}
	transposePlain(out, data, rows, columns, wholeRows, rows, begin, wholeColumns, size)
	transposePlain(out, data, rows, columns, 0, rows, wholeColumns, end, size)
}

// transposePlain does it element by element, for a part of the rows and columns of data.
func transposePlain(out, data []byte, rows, columns, firstRow, lastRow, firstColumn, lastColumn, size int) {
	for column := firstColumn; column < lastColumn; column++ {
		for row := firstRow; row < lastRow; row++ {
			copy(out[(column*rows+row)*size:][:size], data[(row*columns+column)*size:][:size])
		}
	}
}

// transposeTile does a square of eight by eight, at the beginning of data and of out.
func transposeTile(out, data []uint32, rows, columns int) {
	row := func(i int) *[tile]uint32 { return (*[tile]uint32)(data[i*columns:]) }
	a, b, c, d, e, f, g, h := row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)
	for i := range tile {
		to := (*[tile]uint32)(out[i*rows:])
		to[0], to[1], to[2], to[3], to[4], to[5], to[6], to[7] = a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]
	}
}
