package curves

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/train"
)

// writeRun writes a run's log: steps of two tasks, and epochs of 100 steps.
func writeRun(t testing.TB, steps int, records ...any) string {
	t.Helper()
	var log bytes.Buffer
	write := func(record any) {
		line, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		log.Write(append(line, '\n'))
	}
	r := rand.New(rand.NewPCG(1, 2))
	for s := 1; s <= steps; s++ {
		words, matched := 8*math.Exp(-float64(s)/100)+2+r.NormFloat64()/4, 0.5+r.Float64()/10
		epoch := (s-1)/100 + 1
		write(train.StepRecord{Step: s, Epoch: epoch, Loss: words + matched, Losses: map[string]float64{"words": words, "matched": matched},
			GradientNorm: 1 + r.Float64(), LearningRate: 1e-4 * float64(steps-s) / float64(steps), Seconds: 1})
		if s%100 == 0 {
			write(train.EpochRecord{Epoch: epoch, Step: s, TrainScore: new(0.3), ValidLoss: new(words + 1), ValidScore: new(0.5 + float64(epoch)/100),
				ValidLosses: map[string]float64{"words": words + 1}, Seconds: 100})
		}
	}
	for _, record := range records {
		write(record)
	}
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "log.jsonl"), log.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t testing.TB, path, name string) *Run {
	t.Helper()
	r, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	r.Name = name
	return r
}

// TestRead: a run that went on from step 150 forgets what it had done after that.
func TestRead(t *testing.T) {
	dir := writeRun(t, 300, train.StepRecord{Step: 151, Epoch: 2, Loss: 42}, train.StepRecord{Step: 152, Epoch: 2, Loss: 43, Losses: map[string]float64{"words": 1}},
		train.EpochRecord{Epoch: 2, Step: 200, ValidScore: new(0.9)})
	for _, path := range []string{dir, filepath.Join(dir, "log.jsonl")} {
		r := read(t, path, "run")
		if n := len(r.steps[loss]); r.Steps != 152 || n != 152 || r.steps[loss][150] != (point{151, 42}) || r.steps[loss][149].x != 150 {
			t.Errorf("%d points up to step %d", n, r.Steps)
		}
		if words := r.steps[taskLoss+"words"]; len(words) != 151 || words[150] != (point{152, 1}) {
			t.Errorf("the loss of words ends with %v", words[149:])
		}
		trainScores, valid := r.scores()
		if !reflect.DeepEqual(valid, []point{{1, 0.51}, {2, 0.9}}) || !reflect.DeepEqual(trainScores, []point{{1, 0.3}}) {
			t.Errorf("scores %v, %v", trainScores, valid)
		}
		if v := r.validation("words"); len(v) != 1 || v[0].x != 100 {
			t.Errorf("validation losses %v", v)
		}
	}
	if _, err := Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "log.jsonl") {
		t.Errorf("got %v", err)
	}
}

// TestSVG: everything has its panel, numbers have their commas, each run its colour, and few points are drawn of many.
func TestSVG(t *testing.T) {
	runs := []*Run{read(t, writeRun(t, 20_000), "a<b"), read(t, writeRun(t, 500, train.StepRecord{Step: 501, Epoch: 6, Loss: math.NaN()}), "second")}
	var b bytes.Buffer
	if err := WriteSVG(&b, runs, 0); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{">Loss<", ">Loss of matched<", ">Loss of words<", ">Gradient norm<", ">Learning rate<", ">Score<", ">by epoch<", ">5,000<", ">20,000<",
		">a&lt;b<", ">second<", ">20,000 steps,  loss 2.", "best score 2.50 (epoch 200)", ">mean over a fiftieth of the run<", ">validation, after an epoch<", ">not a finite number<",
		">5e-5<", hex(palette[0]), hex(palette[1])} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the picture", want)
		}
	}
	for d := xml.NewDecoder(&b); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Error("there are places that are none")
	}
	for _, points := range regexp.MustCompile(` points="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if n := strings.Count(points[1], ","); n > 2*width {
			t.Errorf("a curve of %d points", n)
		}
	}
}

// TestPNG: the picture is as large as it should be, and both runs' colours are in it.
func TestPNG(t *testing.T) {
	runs := []*Run{read(t, writeRun(t, 200), "first"), read(t, writeRun(t, 300), "second")}
	var b bytes.Buffer
	if err := WritePNG(&b, runs, 10); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	size := picture.Bounds().Size()
	if size.X != width*sharpness || size.Y < 800 {
		t.Errorf("the picture is %v", size)
	}
	count := map[color.Color]int{}
	for y := range size.Y {
		for x := range size.X {
			count[color.RGBAModel.Convert(picture.At(x, y))]++
		}
	}
	for _, c := range palette[:2] {
		if count[c] < 2000 {
			t.Errorf("%d points are of the colour %s", count[c], hex(c))
		}
	}
	if white := count[color.RGBA{255, 255, 255, 255}]; white < size.X*size.Y/2 {
		t.Errorf("of %d points %d are white", size.X*size.Y, white)
	}
}

// TestFew: what has little to show, or nothing finite, is drawn all the same; what has nothing is an error.
func TestFew(t *testing.T) {
	nan := math.NaN()
	for name, records := range map[string][]any{
		"one step":       {train.StepRecord{Step: 1, Epoch: 1, Loss: 1, GradientNorm: 1, LearningRate: 1e-4}},
		"nothing finite": {train.StepRecord{Step: 1, Epoch: 1, Loss: nan, GradientNorm: nan, LearningRate: nan}},
		"always zero":    {train.StepRecord{Step: 1, Epoch: 1}, train.StepRecord{Step: 2, Epoch: 1}},
		"huge":           {train.StepRecord{Step: 1, Epoch: 1, Loss: 1e300, GradientNorm: 1e-300}, train.StepRecord{Step: 1 << 40, Epoch: 1, Loss: -1e300, GradientNorm: 1e300}},
		"largest":        {train.StepRecord{Step: 1, Epoch: 1, Loss: math.MaxFloat64}, train.StepRecord{Step: 2, Epoch: 1, Loss: -math.MaxFloat64, GradientNorm: math.SmallestNonzeroFloat64}},
		"a bad score":    {train.StepRecord{Step: 1, Epoch: 1, Loss: 1}, train.EpochRecord{Epoch: 1, Step: 1, ValidScore: new(nan)}},
	} {
		r := read(t, writeRun(t, 0, records...), name)
		for _, write := range []func(io.Writer, []*Run, int) error{WriteSVG, WritePNG} {
			var b bytes.Buffer
			if err := write(&b, []*Run{r}, 0); err != nil || b.Len() == 0 {
				t.Errorf("%s: %v", name, err)
			}
			if bad := regexp.MustCompile(`^<svg[^\x00]*(e\+1|92233720368)`).FindString(b.String()); bad != "" { // the latter is NaN as an int
				t.Errorf("%s: there are places that are none: %s", name, bad[max(0, len(bad)-100):])
			}
		}
	}
	empty := read(t, writeRun(t, 0), "empty")
	for _, runs := range [][]*Run{nil, {empty}, make([]*Run, MaxRuns+1)} {
		if err := WriteSVG(io.Discard, runs, 0); err == nil {
			t.Errorf("%d runs of nothing were drawn", len(runs))
		}
	}
	if err := WriteSVG(io.Discard, []*Run{empty}, -1); err == nil {
		t.Error("means of -1 steps")
	}
}

// TestSmoothed compares the running sums with a mean written out.
func TestSmoothed(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var points []point
	for x := 0.0; len(points) < 500; x += float64(1 + r.IntN(3)) {
		points = append(points, point{x, r.NormFloat64()})
	}
	for _, window := range []float64{1, 2, 7, 100, 1e6} {
		for i, got := range smoothed(points, window) {
			sum, n := 0.0, 0.0
			for _, p := range points {
				if math.Abs(p.x-points[i].x) <= window/2 {
					sum += p.y
					n++
				}
			}
			if got.x != points[i].x || !(math.Abs(got.y-sum/n) < 1e-12*500) {
				t.Fatalf("window %v, point %d: %v, want %v", window, i, got.y, sum/n)
			}
		}
	}
}

// TestThin: the extremes of each column stay, in their order; means keep the ends.
func TestThin(t *testing.T) {
	points := []point{{0, 1}, {1, 5}, {2, -3}, {3, 2}, {10, 7}, {20, 1}, {21, 2}}
	column := func(x float64) int { return int(x) / 10 }
	if got, want := extremes(points, column), []point{{1, 5}, {2, -3}, {10, 7}, {20, 1}, {21, 2}}; !reflect.DeepEqual(got, want) {
		t.Errorf("extremes %v, want %v", got, want)
	}
	if got, want := means(points, column), []point{{0, 1}, {10, 7}, {21, 2}}; !reflect.DeepEqual(got, want) {
		t.Errorf("means %v, want %v", got, want)
	}
}

// TestAxes: ticks are round, few, within the axis, and their labels tell them apart.
func TestAxes(t *testing.T) {
	labels := func(a axis) string {
		var all []string
		for _, tick := range a.ticks {
			all = append(all, a.label(tick))
		}
		return strings.Join(all, " ")
	}
	for _, test := range []struct {
		axis axis
		want string
	}{
		{linear(0, 20_000, 6, 1), "0 5,000 10,000 15,000 20,000"},
		{linear(0, 1_000_000, 6, 1), "0 200,000 400,000 600,000 800,000 1,000,000"},
		{linear(0.7, 4.3, 8, 1), "1 2 3 4"},
		{linear(0, 1e-4, 5, 0), "0 2e-5 4e-5 6e-5 8e-5 1e-4"},
		{linear(-0.3, 0.3, 5, 0), "-0.2 0.0 0.2"},
		{linear(-2000, 2000, 4, 0), "-2,000 -1,000 0 1,000 2,000"},
		{logarithmic(0.8, 60, 7), "1 2 5 10 20 50"},
		{logarithmic(1e-5, 1e5, 5), "1e-4 0.01 1 100 10,000"},
	} {
		if got := labels(test.axis); got != strings.ReplaceAll(test.want, " 0.0 ", " 0 ") {
			t.Errorf("%v to %v: %s, want %s", test.axis.low, test.axis.high, got, test.want)
		}
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 10_000 {
		low := r.NormFloat64() * math.Pow(10, float64(r.IntN(12)-6))
		high := low + r.Float64()*math.Pow(10, float64(r.IntN(12)-6))
		for _, a := range []axis{vertical(low, high, false, 5), vertical(low, high, true, 5)} {
			if len(a.ticks) < 2 || len(a.ticks) > 12 {
				t.Fatalf("%v to %v: ticks %v", low, high, a.ticks)
			}
			seen := map[string]bool{}
			for _, tick := range a.ticks {
				if seen[a.label(tick)] || !(a.share(tick) > -1e-6 && a.share(tick) < 1+1e-6) {
					t.Fatalf("%v to %v: ticks %v, of which one is called %s twice, or lies outside", low, high, a.ticks, a.label(tick))
				}
				seen[a.label(tick)] = true
			}
		}
	}
}

// TestThreeDigits: as many as a person compares.
func TestThreeDigits(t *testing.T) {
	for v, want := range map[float64]string{0: "0.000", 0.0512: "0.051", 0.5: "0.500", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 54321: "54,321", -2: "-2.00"} {
		if got := threeDigits(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

// BenchmarkPNG draws a long run.
func BenchmarkPNG(b *testing.B) {
	for _, steps := range []int{1000, 100_000} {
		r := read(b, writeRun(b, steps), "run")
		b.Run(fmt.Sprint(steps), func(b *testing.B) {
			for b.Loop() {
				if err := WritePNG(io.Discard, []*Run{r}, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
