package kernel_test

import (
	"fmt"
	"log"
	"sync"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// A linear layer with ReLU, its columns split between two goroutines.
func ExamplePacked_Mul() {
	set, err := kernel.Default()
	if err != nil {
		log.Fatal(err)
	}
	const in, out, rows = 2, 3, 2
	weight := []float32{ // [out, in]
		1, 2,
		3, 4,
		-5, -6,
	}
	bias := []float32{10, 20, 30}
	packed := set.PackB(weight, in, in, out, kernel.OutputsInputs) // once

	x := []float32{ // [rows, in]
		1, 1,
		2, 3,
	}
	left := make([]float32, rows*in)
	set.PackLeft(left, x, in, rows, in, 0, set.LeftTiles(rows))

	y := make([]float32, rows*out)
	epilogue := kernel.Epilogue{Bias: bias, Activation: kernel.ReLU}
	var workers sync.WaitGroup
	for i := range 2 {
		workers.Go(func() {
			from, to := packed.Panels()*i/2, packed.Panels()*(i+1)/2
			packed.Mul(y, out, left, rows, from, to, epilogue, new(kernel.Scratch))
		})
	}
	workers.Wait()
	fmt.Println(y)
	// Output: [13 27 19 18 38 2]
}

// Probabilities from scores, with the last key masked.
func ExampleSet_Softmax() {
	set, err := kernel.Default()
	if err != nil {
		log.Fatal(err)
	}
	scores := []float32{
		1, 1, 3,
		5, 5, 9,
	}
	mask := []float32{0, 0, -10000}
	set.Softmax(scores, scores, 2, 3, 0.5, mask, 0)
	fmt.Println(scores)
	// Output: [0.5 0.5 0 0.5 0.5 0]
}

// The same layer with weights of 8 bits: a quarter of the memory, and results that are rounded.
func ExampleSet_In() {
	set, err := kernel.Default()
	if err != nil {
		log.Fatal(err)
	}
	set = set.In(kernel.Int8)
	const in, out, rows = 2, 3, 2
	weight := []float32{ // [out, in]
		1, 2,
		3, 4,
		-5, -6,
	}
	packed := set.PackB(weight, in, in, out, kernel.OutputsInputs)

	x := []float32{ // [rows, in]
		1, 1,
		2, 3,
	}
	left := make([]float32, set.LeftLen(rows, in))
	set.PackLeft(left, x, in, rows, in, 0, set.LeftTiles(rows))

	y := make([]float32, rows*out)
	packed.Mul(y, out, left, rows, 0, packed.Panels(), kernel.Epilogue{}, new(kernel.Scratch))
	fmt.Printf("%.2f\n", y)
	// Output: [3.01 6.99 -11.01 8.02 18.01 -28.06]
}
