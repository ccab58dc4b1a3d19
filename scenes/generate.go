package scenes

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/internal/atomicdir"
	"github.com/go-lxmert/lxmert/vision"
)

// Options say how a data set is generated.
type Options struct {
	Images   int    // at most MaxImages
	Seed     uint64 // at most MaxSeed: another seed gives other pictures, with other ids
	NoImages bool   // leave the pictures out: their regions are there all the same
	Force    bool   // replace a data set that is there

	Progress func(done, of int) // unless nil, hears of each picture
}

// MaxImages and MaxSeed are as large as still gives each question a number of its own, over all seeds.
const (
	MaxImages = 1_000_000
	MaxSeed   = math.MaxUint32
)

// A Report counts what Generate has written.
type Report struct {
	Images, Objects, Regions       int
	VQA, GQA, Statements, Captions int
	Templates                      map[string]map[string]int // how often each answer is right, by kind and template: "vqa color"
}

// SetName is the file by which a data set that Generate has written can be known: what is in each picture.
const SetName = "scenes.json"

// Generate writes a data set of drawn pictures, all that LXMERT's training and evaluation want:
//
//	images/ID.png                  the pictures, unless NoImages
//	regions/                       what the Detector sees in them, a region store (data.OpenStore)
//	captions.json                  sentences for pre-training: captions, and the questions with their answers
//	vqa.json, gqa.json, nlvr2.json questions and statements to fine-tune with
//	answers.json, labels.json      all answers, as pre-training's table and as a list
//	vocab.txt                      the tokenizer's vocabulary
//	objects.txt, attributes.txt    what the labels of regions mean: kinds and colours
//	config.json                    what a model's configuration must have to read the regions
//	scenes.json                    what is in each picture
//
// The same options give the same files. Pictures have the ids s7-000000, s7-000001, … for seed 7; the answers and the vocabulary are the same for all
// seeds. The directory appears when it is complete; one that is there is an error, unless Force replaces it, and then only a data set of this kind.
func Generate(ctx context.Context, dir string, options Options) (Report, error) {
	switch {
	case options.Images < 1 || options.Images > MaxImages:
		return Report{}, fmt.Errorf("images: found %d, want 1 to %d", options.Images, MaxImages)
	case options.Seed > MaxSeed:
		return Report{}, fmt.Errorf("seed: found %d, want 0 to %d", options.Seed, uint64(MaxSeed))
	}
	dir = filepath.Clean(dir)
	if err := atomicdir.Recover(dir); err != nil {
		return Report{}, err
	}
	if err := vacant(dir, options.Force); err != nil {
		return Report{}, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return Report{}, err
	}
	var report Report
	err := atomicdir.Write(dir, "", func(dir string) error {
		set, err := options.collect(ctx, dir)
		if err != nil {
			return err
		}
		report = set.report
		return set.write(dir)
	})
	return report, err
}

// ErrExists says that there is a data set already, which Options.Force replaces.
var ErrExists = errors.New("holds drawn scenes already")

// vacant refuses to replace what is no data set of drawn pictures, or whatever is there without force.
func vacant(dir string, force bool) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, SetName)); err != nil {
		return fmt.Errorf("%s holds something else than drawn scenes (there is no %s): choose another directory", dir, SetName)
	}
	if !force {
		return fmt.Errorf("%s %w: choose another directory", dir, ErrExists)
	}
	return nil
}

// A set is all that is said and asked about the pictures.
type set struct {
	seed               uint64
	scenes             []*Scene
	ids                []string
	captions           [][]string // by picture
	vqa, gqa, nlvr2    []questions.Question
	vqaFirst, gqaFirst []int // by picture, where its questions begin
	balance            *balance
	report             Report
}

// A picture is what can be made of one scene without regard to others.
type picture struct {
	scene    *Scene
	captions []caption
	vqa, gqa [][]asked
	regions  vision.Regions
	err      error
}

// The streams of chance; each picture has one of its own in each.
const (
	chanceScene = iota
	chanceWords
	chancePanel
	chanceChoice
	chanceBalance
)

// stream is a source of chance for one purpose and one picture, and seedOf the seed of its scene.
func stream(seed uint64, purpose, i int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(purpose)<<48|uint64(i)))
}

func seedOf(seed uint64, purpose, i int) uint64 { return stream(seed, purpose, i).Uint64() }

// panelOf are the scenes that captions are held against, the same for every seed.
func panelOf() []*Scene {
	panel := make([]*Scene, panelSize)
	for i := range panel {
		panel[i] = New(seedOf(0, chancePanel, i))
	}
	return panel
}

// collect draws pictures on all cores, in any order, and takes them in theirs, so that the result is the same on all machines. Pictures and regions go to
// disk at once.
func (o Options) collect(ctx context.Context, dir string) (*set, error) {
	store, err := data.WriteStore(filepath.Join(dir, "regions"), data.StoreOptions{Preset: Preset})
	if err != nil {
		return nil, err
	}
	defer store.Abandon()
	if !o.NoImages {
		if err := os.Mkdir(filepath.Join(dir, "images"), 0o755); err != nil {
			return nil, err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	set := newSet(o.Seed)
	panel := panelOf()
	for i, made := range inOrder(ctx, runtime.GOMAXPROCS(0), o.Images, func(i int) picture { return o.picture(ctx, dir, panel, i) }) {
		if made.err != nil {
			return nil, made.err
		}
		id := o.id(i)
		if err := store.Add(id, made.regions); err != nil {
			return nil, err
		}
		set.add(id, made)
		if o.Progress != nil {
			o.Progress(i+1, o.Images)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !o.NoImages {
		if err := syncAll(ctx, filepath.Join(dir, "images")); err != nil {
			return nil, err
		}
	}
	return set, store.Close()
}

// id is a picture's name.
func (o Options) id(i int) string { return fmt.Sprintf("s%d-%06d", o.Seed, i) }

// picture makes what concerns one picture alone.
func (o Options) picture(ctx context.Context, dir string, panel []*Scene, i int) picture {
	p := o.words(panel, i)
	drawn := p.scene.Draw()
	if !o.NoImages {
		if p.err = writePNG(filepath.Join(dir, "images", o.id(i)+".png"), drawn); p.err != nil {
			return p
		}
	}
	p.regions, p.err = Detector{}.Extract(ctx, drawn)
	if p.err != nil {
		p.err = fmt.Errorf("picture %s: %w", o.id(i), p.err)
	}
	return p
}

// words are the scene and what could be said of it.
func (o Options) words(panel []*Scene, i int) picture {
	s := New(seedOf(o.Seed, chanceScene, i))
	chance := stream(o.Seed, chanceWords, i)
	return picture{scene: s, captions: captions(s, panel, chance), vqa: candidates(s, vqaQuotas, chance), gqa: candidates(s, gqaQuotas, chance)}
}

// inOrder makes n things, some at once and a few ahead of who takes them, and gives them in order. It ends early with ctx.
func inOrder[T any](ctx context.Context, workers, n int, make1 func(i int) T) func(yield func(int, T) bool) {
	return func(yield func(int, T) bool) {
		ctx, stop := context.WithCancel(ctx)
		coming := make(chan chan T, 4*workers)
		room := make(chan struct{}, workers)
		go func() {
			defer close(coming)
			for i := range n {
				made := make(chan T, 1)
				select {
				case coming <- made:
				case <-ctx.Done():
					return
				}
				room <- struct{}{}
				go func() {
					made <- make1(i)
					<-room
				}()
			}
		}()
		defer func() { // what has begun is waited for: it may be writing files
			stop()
			for made := range coming {
				<-made
			}
		}()
		i := 0
		for made := range coming {
			if !yield(i, <-made) {
				return
			}
			i++
		}
	}
}
