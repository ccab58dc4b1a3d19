package checkpoint

import (
	"encoding/binary"
	"runtime"
	"sync"
)

// tile is the side of the squares in which matrices are transposed: sixteen numbers of four bytes fill a line of
// the cache on either side.
const tile = 16

// transpose returns a matrix [rows, columns] of elements of size bytes as [columns, rows]. Large ones are divided between
// the processors.
func transpose(data []byte, rows, columns, size int) []byte {
	out := make([]byte, len(data))
	bands := 1
	if rows*columns >= 1<<16 {
		bands = min(runtime.GOMAXPROCS(0), (columns+tile-1)/tile)
	}
	height := ((columns+bands-1)/bands + tile - 1) / tile * tile // of out
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
	return out
}

// transposeBand makes rows begin to end-1 of out, which are columns of data.
func transposeBand(out, data []byte, rows, columns, begin, end, size int) {
	for row := 0; row < rows; row += tile {
		last := min(row+tile, rows)
		for column := begin; column < end; column += tile {
			for c := column; c < min(column+tile, end); c++ {
				to := out[(c*rows+row)*size : (c*rows+last)*size]
				from := data[(row*columns+c)*size:]
				transposeRun(to, from, columns, size)
			}
		}
	}
}

// transposeRun gathers a run of elements from a column of a matrix of that many columns.
func transposeRun(to, from []byte, columns, size int) {
	step := columns * size
	switch size {
	case 4:
		for i, at := 0, 0; i+4 <= len(to); i, at = i+4, at+step {
			binary.LittleEndian.PutUint32(to[i:i+4], binary.LittleEndian.Uint32(from[at:at+4]))
		}
	default:
		for i, at := 0, 0; i < len(to); i, at = i+size, at+step {
			copy(to[i:i+size], from[at:at+size])
		}
	}
}
