package frcnn

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/padding"
	"github.com/go-lxmert/lxmert/vision"
)

// Options are choices about a detector; the zero value is the reference's way.
type Options struct {
	// Preset is the recipe: vision.HFFRCNN or vision.D2MaxNMS. "" is the one that goes with the files: Hugging Face's where there is a config.yaml, the original's
	// where there is none.
	Preset string

	// Proposals bounds how many boxes of the proposal network are looked at; 0 is what the recipe says. Fewer are faster.
	Proposals int

	// MinRegions and MaxRegions take the place of the recipe's 36; 0 keeps it.
	MinRegions, MaxRegions int

	// RGB feeds the network red, green, blue. Its weights want blue, green, red, and that is the default; but Hugging Face's code feeds local files so,
	// and features that were made that way are reproduced with it.
	RGB bool

	// Pad makes the sides of what goes into the network multiples of this many pixels, by padding at the right and at the bottom, so that there are few different
	// sizes: for engines that compile for each. Results near that edge change a little. 0 is 1, and 128 on those (XLA).
	Pad int
}

// A Detector is a bottom-up-attention Faster R-CNN (Anderson et al. 2018; modeling_frcnn.py of Hugging Face's LXMERT research project). It is safe for concurrent use; pictures
// take turns, for one uses all cores.
type Detector struct {
	config              *Config
	recipe              recipe
	options             Options
	objects, attributes []string

	mu       sync.Mutex
	programs *programs
	network  *network
	closed   bool
}

var _ vision.BoxExtractor = (*Detector)(nil)

// ErrClosed is what a closed detector answers.
var ErrClosed = errors.New("the detector is closed")

// Open opens a detector's directory, or its file of weights: config.yaml; the weights, in any format that package checkpoint reads; and the names of
// objects and attributes, a line each (objects_vocab.txt or objects.txt, and the same for attributes), without which those of Visual Genome are taken if the
// numbers agree. A checkpoint without a config.yaml is taken for one of py-bottom-up-attention (faster_rcnn_from_caffe_attr.pkl), see [Original]. Errors
// name the file.
func Open(engine compute.Backend, path string, options Options) (*Detector, error) {
	if engine == nil {
		return nil, errors.New("frcnn.Open wants a backend, found nil")
	}
	file, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	dir := path
	if path == file.Path() {
		dir = filepath.Dir(path)
	}
	d := &Detector{options: options}
	if err := d.configure(dir, file); err != nil {
		return nil, err
	}
	if d.objects, d.attributes, err = names(dir, d.config); err != nil {
		return nil, err
	}
	from, err := d.config.match(file)
	if err != nil {
		return nil, err
	}
	if err := d.load(engine, from); err != nil {
		return nil, fmt.Errorf("%s: %w", file.Path(), err)
	}
	return d, nil
}

// New makes a detector of a configuration, with weights from a function that is asked for each by its name in the checkpoint, such as for tests and
// benchmarks; nil stands for the anchors that the configuration has. Names may be nil.
func New(engine compute.Backend, c *Config, weights func(name string, shape ...int) ([]float32, error), objects, attributes []string, options Options) (*Detector, error) {
	if engine == nil || c == nil || weights == nil {
		return nil, errors.New("frcnn.New wants a backend, a configuration and weights")
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	own := *c
	d := &Detector{options: options, config: &own, objects: objects, attributes: attributes}
	if err := d.choose(options.Preset, vision.HFFRCNN); err != nil {
		return nil, err
	}
	return d, d.load(engine, weights)
}

// configure reads the configuration, or infers it, and chooses the recipe.
func (d *Detector) configure(dir string, file *checkpoint.File) error {
	otherwise := vision.HFFRCNN
	c, err := readConfigFile(filepath.Join(dir, ConfigName))
	if errors.Is(err, fs.ErrNotExist) {
		otherwise = vision.D2MaxNMS
		if c, err = infer(file); err != nil {
			return fmt.Errorf("%s: %w", file.Path(), err)
		}
	}
	if err != nil {
		return err
	}
	d.config = c
	return d.choose(d.options.Preset, otherwise)
}

// choose applies recipe and options to the configuration.
func (d *Detector) choose(preset, otherwise string) error {
	if preset == "" {
		preset = otherwise
	}
	r, err := recipeOf(preset)
	if err != nil {
		return err
	}
	d.recipe = r
	r.apply(d.config)
	o := d.options
	for _, v := range []struct {
		name  string
		value int
		to    *int
	}{{"proposals", o.Proposals, &d.config.PostNMS}, {"regions at least", o.MinRegions, &d.config.MinDetections}, {"regions at most", o.MaxRegions, &d.config.MaxDetections}} {
		if v.value < 0 || v.value > maxProposals {
			return fmt.Errorf("%s: found %d, want 1 to %d", v.name, v.value, maxProposals)
		}
		if v.value > 0 {
			*v.to = v.value
		}
	}
	if o.MaxRegions > 0 && o.MinRegions == 0 {
		d.config.MinDetections = min(d.config.MinDetections, o.MaxRegions)
	}
	if o.MinRegions > 0 && o.MaxRegions == 0 {
		d.config.MaxDetections = max(d.config.MaxDetections, o.MinRegions)
	}
	if o.Pad < 0 || o.Pad > maxSide {
		return fmt.Errorf("pad: found %d, want 0 to %d", o.Pad, maxSide)
	}
	return d.config.Check()
}

func (d *Detector) load(engine compute.Backend, from source) error {
	cell, err := d.config.anchors(from)
	if err != nil {
		return err
	}
	if d.programs, err = newPrograms(engine, d.config, from); err != nil {
		return err
	}
	if d.network, err = newNetwork(d.config, d.programs, cell); err != nil {
		d.programs.close()
		return err
	}
	d.network.fixed = padding.Few(engine)
	if d.options.Pad == 0 {
		d.options.Pad = 1
		if d.network.fixed {
			d.options.Pad = 128
		}
	}
	return nil
}

// Close frees the weights, after the picture under way.
func (d *Detector) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.closed = true
		d.programs.close()
	}
	return nil
}

// Config is a copy of the configuration, as recipe and options have it.
func (d *Detector) Config() *Config { c := *d.config; return &c }

// Preset is the recipe's name; with the reference's wrong order of colours it ends in -rgb.
func (d *Detector) Preset() string {
	if d.options.RGB {
		return d.recipe.name + "-rgb"
	}
	return d.recipe.name
}

// FeatureWidth is 2048 for the real detector.
func (d *Detector) FeatureWidth() int { return d.config.FeatureWidth() }

// Vocabulary has the names of objects and attributes; nil where the files have none, or the detector tells no attributes.
func (d *Detector) Vocabulary() (objects, attributes []string) { return d.objects, d.attributes }

// A Detection is what the detector saw in a picture, region by region, best first.
type Detection struct {
	Size, Resized vision.Size // the picture's, and that in which the network saw it

	Boxes      []float32 // [regions, 4]: x1, y1, x2, y2 in pixels of the picture
	Features   []float32 // [regions, FeatureWidth]
	Objects    []vision.Label
	Attributes []vision.Label // nil if the detector tells none

	Proposals int      // that were looked at
	Kept      []int    // the proposal of each region, by its rank
	Threshold float64  // of the last suppression: the first that left enough regions
	Timings   []Timing // in order
}

// Detect looks at a picture. Regions are the reference's; in a blank picture they may be anywhere. The error is ctx's, or says what is wrong with img,
// or that fewer regions are left than the recipe wants.
func (d *Detector) Detect(ctx context.Context, img image.Image) (*Detection, error) {
	return d.look(ctx, img, d.find(ctx))
}

// find is what follows the backbone where regions have to be found.
func (d *Detector) find(ctx context.Context) func(l *look, in *input, out *Detection) error {
	return func(l *look, in *input, out *Detection) error {
		if err := d.network.propose(in, l); err != nil {
			return err
		}
		if err := d.network.describe(ctx, l.proposals, l); err != nil {
			return err
		}
		all := d.config.candidates(l.proposals, l.probabilities, l.moves, in.pictureWidth, in.pictureHeight)
		keep, threshold, ok := d.config.choose(all)
		d.network.stage("suppression")
		if !ok && !d.recipe.fewer {
			return d.config.tooFew(len(keep))
		}
		out.Threshold = threshold
		for _, i := range keep {
			box := in.inPicture(all[i].box[:], out.Size)
			if d.recipe.noEmpty && (box[2] <= box[0] || box[3] <= box[1]) {
				continue
			}
			out.add(d.config, l, i, box)
			out.Objects = append(out.Objects, vision.Label{ID: all[i].class, Confidence: all[i].score})
		}
		if len(out.Kept) == 0 {
			return d.config.tooFew(0)
		}
		return nil
	}
}

// DetectBoxes is [Detector.Detect] for boxes that are given, [regions, 4] of x1, y1, x2, y2 in pixels of the picture: each is described where it is, as it is, in the order given.
func (d *Detector) DetectBoxes(ctx context.Context, img image.Image, boxes []float32) (*Detection, error) {
	return d.look(ctx, img, func(l *look, in *input, out *Detection) error {
		if err := checkBoxes(boxes, out.Size); err != nil {
			return err
		}
		l.proposals = in.fromPicture(boxes, out.Size)
		if err := d.network.describe(ctx, l.proposals, l); err != nil {
			return err
		}
		for i := range len(boxes) / 4 {
			class, score := largest(l.probabilities[i*(d.config.NumClasses+1):][:d.config.NumClasses])
			out.add(d.config, l, i, [4]float32(boxes[4*i:]))
			out.Objects = append(out.Objects, vision.Label{ID: class, Confidence: score})
		}
		return nil
	})
}

// add adds what is known of a proposal, but for its object.
func (out *Detection) add(c *Config, l *look, i int, box [4]float32) {
	width := c.FeatureWidth()
	out.Kept = append(out.Kept, i)
	out.Boxes = append(out.Boxes, box[:]...)
	out.Features = append(out.Features, l.features[i*width:][:width]...)
	if l.attributes != nil {
		id, p := largest(l.attributes[i*c.NumAttrs:][:c.NumAttrs])
		out.Attributes = append(out.Attributes, vision.Label{ID: id, Confidence: p})
	}
}

// look prepares a picture, lets the backbone see it, and then f.
func (d *Detector) look(ctx context.Context, img image.Image, f func(l *look, in *input, out *Detection) error) (*Detection, error) {
	start := time.Now()
	in, size, err := d.prepare(img)
	if err != nil {
		return nil, err
	}
	resizing := Timing{"resize", time.Since(start)}
	found, err := d.lookAt(ctx, in, size, f)
	if err == nil {
		found.Timings = append([]Timing{resizing}, found.Timings...)
	}
	return found, err
}

// lookAt is look for a picture of that size that has been prepared.
func (d *Detector) lookAt(ctx context.Context, in *input, size vision.Size, f func(l *look, in *input, out *Detection) error) (*Detection, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.network.begin()
	out := &Detection{Size: size, Resized: vision.Size{Width: in.pictureWidth, Height: in.pictureHeight}}
	var l look
	if err := d.network.see(in, &l); err != nil {
		return nil, err
	}
	if err := f(&l, in, out); err != nil {
		return nil, err
	}
	out.Proposals = len(l.proposals) / 4
	out.Timings = slices.Clone(d.network.timings)
	return out, nil
}

// maxBoxes bounds the boxes that are given for one picture.
const maxBoxes = 4096

func checkBoxes(boxes []float32, size vision.Size) error {
	switch n := len(boxes) / 4; {
	case len(boxes)%4 != 0:
		return fmt.Errorf("%d numbers in boxes, want 4 for each", len(boxes))
	case n == 0 || n > maxBoxes:
		return fmt.Errorf("%d boxes, want 1 to %d", n, maxBoxes)
	}
	for i := range len(boxes) / 4 {
		b := boxes[4*i:][:4]
		if w, h := float32(size.Width), float32(size.Height); !(b[0] >= 0 && b[1] >= 0 && b[0] < b[2] && b[1] < b[3] && b[2] <= w && b[3] <= h) {
			return fmt.Errorf("box %d is %v, want x1 < x2 and y1 < y2 within the picture's %d × %d pixels", i, b, size.Width, size.Height)
		}
	}
	return nil
}

// Extract is [Detector.Detect] as [vision.Extractor] has it: boxes as fractions of the picture. One that has no width or no height, as the reference may return, is made a hair wide.
func (d *Detector) Extract(ctx context.Context, img image.Image) (vision.Regions, error) {
	return d.regions(d.Detect(ctx, img))
}

// ExtractTimed is [Detector.Extract], and how long each stage took.
func (d *Detector) ExtractTimed(ctx context.Context, img image.Image) (vision.Regions, []Timing, error) {
	found, err := d.Detect(ctx, img)
	if err != nil {
		return vision.Regions{}, nil, err
	}
	r, err := d.regions(found, nil)
	return r, found.Timings, err
}

// ExtractBoxes implements [vision.BoxExtractor].
func (d *Detector) ExtractBoxes(ctx context.Context, img image.Image, boxes []float32) (vision.Regions, error) {
	return d.regions(d.DetectBoxes(ctx, img, boxes))
}

// hair is how wide an empty box is made, as a fraction of the picture: less than a pixel.
const hair = 1.0 / (1 << 14)

func (d *Detector) regions(found *Detection, err error) (vision.Regions, error) {
	if err != nil {
		return vision.Regions{}, err
	}
	r := vision.Regions{Features: found.Features, FeatureWidth: d.config.FeatureWidth(), Size: found.Size, Objects: found.Objects, Attributes: found.Attributes, Preset: d.Preset()}
	if r.Boxes, err = vision.NormalizeBoxes(found.Boxes, found.Size); err != nil {
		return vision.Regions{}, err
	}
	for i := range len(r.Boxes) / 4 {
		b := r.Boxes[4*i:][:4]
		for low := range 2 {
			if b[low] >= b[low+2] {
				b[low] = min(b[low], 1-hair)
				b[low+2] = b[low] + hair
			}
		}
	}
	return r, nil
}
