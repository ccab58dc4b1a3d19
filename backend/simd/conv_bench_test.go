package simd_test

import (
	"fmt"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/go-lxmert/lxmert/backend/simd"
)

// BenchmarkConvolutions times the three convolutions of a bottleneck block of ResNet as one computation, without what stands between
// them: what the engine adds to its kernels.
func BenchmarkConvolutions(b *testing.B) {
	backend, err := simd.New("")
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Finalize()
	for _, stage := range []struct{ height, width, channels, inside int }{{150, 200, 256, 64}, {75, 100, 512, 128}, {38, 50, 1024, 256}} {
		b.Run(fmt.Sprintf("%dx%dx%d", stage.height, stage.width, stage.channels), func(b *testing.B) {
			inputs := [][]int{{1, stage.height, stage.width, stage.channels}, {1, 1, stage.channels, stage.inside}, {3, 3, stage.inside, stage.inside}, {1, 1, stage.inside, stage.channels}}
			builder := backend.Builder("block")
			f := builder.Main()
			var in []compute.Value
			var buffers []compute.Buffer
			for i, dims := range inputs {
				shape := shapes.Make(dtypes.Float32, dims...)
				v, err := f.Parameter(fmt.Sprint("in", i), shape, nil)
				if err != nil {
					b.Fatal(err)
				}
				buffer, err := backend.BufferFromFlatData(0, make([]float32, shape.Size()), shape)
				if err != nil {
					b.Fatal(err)
				}
				in, buffers = append(in, v), append(buffers, buffer)
			}
			axes := compute.ConvolveAxesConfig{InputChannels: 3, InputSpatial: []int{1, 2}, KernelSpatial: []int{0, 1}, KernelInputChannels: 2, KernelOutputChannels: 3,
				OutputChannels: 3, OutputSpatial: []int{1, 2}}
			v := in[0]
			for i, weights := range in[1:] {
				padding := i % 2
				if v, err = f.ConvGeneral(v, weights, axes, nil, [][2]int{{padding, padding}, {padding, padding}}, nil, nil, 1, 1); err != nil {
					b.Fatal(err)
				}
			}
			if err := f.Return([]compute.Value{v}, nil); err != nil {
				b.Fatal(err)
			}
			e, err := builder.Compile()
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				out, err := e.Execute(buffers, make([]bool, len(buffers)), 0)
				if err != nil {
					b.Fatal(err)
				}
				if err := out[0].Finalize(); err != nil {
					b.Fatal(err)
				}
			}
			operations := 2 * float64(stage.height*stage.width) * float64(2*stage.channels*stage.inside+9*stage.inside*stage.inside)
			b.ReportMetric(operations*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}
