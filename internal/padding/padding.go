// Package padding puts sentences and pictures of different sizes side by side in tensors, as models read them.
package padding

import (
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/vision"
)

// Tokens fills rows up with 0 to a length: [rows, length], and a mask of the same shape that is 1 where there is a token. No row may be longer.
func Tokens(rows [][]int32, length int) (ids, mask *tensors.Tensor) {
	values, there := make([]int32, len(rows)*length), make([]float32, len(rows)*length)
	for i, row := range rows {
		copy(values[i*length:(i+1)*length], row)
		fill(there[i*length:(i+1)*length], len(row))
	}
	return tensors.FromFlatDataAndDimensions(values, len(rows), length), tensors.FromFlatDataAndDimensions(there, len(rows), length)
}

// Longest is the length of the longest row.
func Longest(rows [][]int32) int {
	longest := 0
	for _, row := range rows {
		longest = max(longest, len(row))
	}
	return longest
}

// Shortest is the length of the shortest row.
func Shortest(rows [][]int32) int {
	shortest := math.MaxInt
	for _, row := range rows {
		shortest = min(shortest, len(row))
	}
	return shortest
}

// Pictures fills pictures up to a number of regions: features [leading, regions, width], boxes [leading, regions, places] and a mask
// [leading, regions] that is 1 where there is a region; nil if no picture has fewer. The product of leading is the number of pictures; all must be
// equally wide, and none may have more regions.
func Pictures(pictures []vision.Regions, regions int, leading ...int) (features, boxes, mask *tensors.Tensor) {
	n, width := len(pictures), pictures[0].FeatureWidth
	places := len(pictures[0].Boxes) / pictures[0].Len()
	f, b, m := make([]float32, n*regions*width), make([]float32, n*regions*places), make([]float32, n*regions)
	for i, p := range pictures {
		copy(f[i*regions*width:], p.Features)
		copy(b[i*regions*places:], p.Boxes)
		fill(m[i*regions:], p.Len())
	}
	features = tensors.FromFlatDataAndDimensions(f, append(slices.Clone(leading), regions, width)...)
	boxes = tensors.FromFlatDataAndDimensions(b, append(slices.Clone(leading), regions, places)...)
	if slices.Contains(m, 0) { // one that masks nothing costs time and changes nothing
		mask = tensors.FromFlatDataAndDimensions(m, append(slices.Clone(leading), regions)...)
	}
	return features, boxes, mask
}

// Most is the number of regions of the picture that has most.
func Most(pictures []vision.Regions) int {
	most := 0
	for _, p := range pictures {
		most = max(most, p.Len())
	}
	return most
}

// fill sets the first n elements to 1.
func fill(mask []float32, n int) {
	for i := range n {
		mask[i] = 1
	}
}
