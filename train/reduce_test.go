package train

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
)

// A pair is one of two ranks.
type pair struct {
	rank  int
	to    chan<- any
	from  <-chan any
	calls int
}

func newPair() (one, other *pair) {
	a, b := make(chan any, 1), make(chan any, 1)
	return &pair{rank: 0, to: a, from: b}, &pair{rank: 1, to: b, from: a}
}

func (p *pair) Rank() int { return p.rank }
func (p *pair) Size() int { return 2 }

func (p *pair) Share(mine []byte) ([][]byte, error) {
	p.to <- mine
	all := [][]byte{mine, (<-p.from).([]byte)}
	if p.rank == 1 {
		all[0], all[1] = all[1], all[0]
	}
	return all, nil
}

func (p *pair) Sum(values []float32) error {
	p.calls++
	p.to <- append([]float32{}, values...)
	for i, v := range (<-p.from).([]float32) {
		values[i] += v
	}
	return nil
}

func (p *pair) Exchange(send, receive []byte) error {
	piece := len(send) / 2
	p.to <- append([]byte{}, send[piece*(1-p.rank):][:piece]...)
	copy(receive[piece*p.rank:], send[piece*p.rank:][:piece])
	copy(receive[piece*(1-p.rank):], (<-p.from).([]byte))
	return nil
}

// TestSumOverRanks adds up tensors of all sizes, in few calls, and in bfloat16 as closely as that can be.
func TestSumOverRanks(t *testing.T) {
	sizes := []int{1, 3, packedBelow - 1, packedBelow, 0, bucketFloats + 5, 7, packedBelow + 1}
	for _, narrow := range []bool{false, true} {
		one, other := newPair()
		random := rand.New(rand.NewPCG(1, 2))
		var given, values [2][]*tensors.Tensor
		for _, size := range sizes {
			for rank := range 2 {
				flat := make([]float32, size)
				for i := range flat {
					flat[i] = float32(random.NormFloat64())
				}
				given[rank] = append(given[rank], tensors.FromFlatDataAndDimensions(append([]float32{}, flat...), size))
				values[rank] = append(values[rank], tensors.FromFlatDataAndDimensions(flat, size))
			}
		}
		var both sync.WaitGroup
		for rank, r := range []*pair{one, other} {
			both.Go(func() {
				if err := sumOverRanks(r, narrow, values[rank]); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		if !narrow && one.calls != 5 { // one of small tensors, one and one of large ones, two of the largest
			t.Errorf("%d calls", one.calls)
		}
		for i, size := range sizes {
			a, b := tensors.MustCopyFlatData[float32](given[0][i]), tensors.MustCopyFlatData[float32](given[1][i])
			got, same := tensors.MustCopyFlatData[float32](values[0][i]), tensors.MustCopyFlatData[float32](values[1][i])
			for j := range size {
				bound := 0.0
				if narrow { // what each sends, and the sum
					bound = 0x1p-8 * (math.Abs(float64(a[j])) + math.Abs(float64(b[j])) + 1.01*math.Abs(float64(a[j]+b[j])))
				}
				if d := math.Abs(float64(got[j] - (a[j] + b[j]))); !(d <= bound) || got[j] != same[j] {
					t.Fatalf("tensor %d[%d], narrow %v: %v and %v make %v and %v, off by %v, want at most %v", i, j, narrow, a[j], b[j], got[j], same[j], d, bound)
				}
			}
		}
	}
}
