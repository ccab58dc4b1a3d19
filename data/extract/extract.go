// Package extract takes pictures to regions: it finds them in directories, lists and archives, lets an extractor look at them, and keeps what it sees.
package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"runtime"

	"github.com/go-lxmert/lxmert/vision"
)

// A Target is where regions go: a data.StoreWriter or a data.TSVFile.
type Target interface {
	// Has says whether the image is there, perhaps from an earlier run. It may be called while Add is.
	Has(id string) bool

	// Add adds an image. After an error the next one can still be added, unless Err tells of one.
	Add(id string, r vision.Regions) error

	// Err is the first error after which nothing can be added.
	Err() error
}

// Options say how Run goes about it.
type Options struct {
	Parallel int    // pictures that the extractor is given at once; 0 is as many as keep the processors busy, see vision.Threaded
	Boxes    *Boxes // boxes to describe, by an extractor that is a vision.BoxExtractor; nil lets it find them
	Strict   bool   // the first fault ends the run

	// Ahead is how many bytes the pixels of pictures may take that have been decoded before their turn, 0 is 128 MiB. One picture alone may take more.
	Ahead int64

	Fault    func(Fault) error // unless nil, hears of each fault, in order; its error ends the run
	Progress func(Progress)    // unless nil, hears of each picture
}

// A Fault is a picture without regions.
type Fault struct {
	ID   string // "" if it has none
	Path string // in archives ARCHIVE:ENTRY
	Err  error
}

func (f Fault) Error() string { return f.Path + ": " + f.Err.Error() }

// Unwrap is what was wrong with the picture.
func (f Fault) Unwrap() error { return f.Err }

// A Report counts pictures.
type Report struct {
	Added  int // now
	There  int // in the target already: passed over
	Failed int // the faults
}

// Done is how many pictures that are.
func (r Report) Done() int { return r.Added + r.There + r.Failed }

// Progress is a report of how far Run is, of so many pictures.
type Progress struct {
	Report
	Of  int  // as far as is known
	All bool // that many there are; otherwise they are still coming
}

// Run adds the regions of all pictures to the target, in their order, whatever is done at once: reading and decoding go on while the extractor looks and
// the target writes. Pictures whose ids are there already are passed over, so that a run that was interrupted goes on where it was.
//
// A picture that cannot be read, decoded or described is a fault; none of it is kept, and a later run tries it again. The error is the target's, that of a
// list or an archive that cannot be read on, the first fault's with Strict, or ctx's. What was added by then stays.
func Run(ctx context.Context, pictures *Pictures, extractor vision.Extractor, to Target, o Options) (Report, error) {
	r := &run{pictures: pictures, extractor: extractor, to: to, options: o}
	if o.Boxes != nil {
		boxes, ok := extractor.(vision.BoxExtractor)
		if !ok {
			return Report{}, fmt.Errorf("the extractor of %q finds its regions itself, it cannot be given boxes", extractor.Preset())
		}
		r.boxExtractor = boxes
	}
	ctx, stop := context.WithCancel(ctx)
	finished := r.start(ctx)
	report, err := r.write(ctx)
	stop()
	finished()
	return report, err
}

// A run is the way of pictures through three workshops, each ahead of the next: decoding, extracting, writing.
type run struct {
	pictures     *Pictures
	extractor    vision.Extractor
	boxExtractor vision.BoxExtractor // nil unless boxes are given
	to           Target
	options      Options

	files  *budget // bytes of files that are being decoded
	pixels *budget // bytes of pictures that are decoded

	toDecode  chan *job // to whoever is free
	toExtract chan *job // in order
	toWrite   chan *job // in order
	listed    error     // why there are no more pictures; of use when toWrite is closed
}

// A job is one picture on its way. Each field belongs to the workshop that has it.
type job struct {
	picture picture
	there   bool
	turn    int64
	boxes   []float32

	content   []byte
	weight    int64 // in files
	decoded   chan struct{}
	img       image.Image
	size      int64 // in pixels
	extracted chan struct{}
	regions   vision.Regions
	err       error
}

var (
	errStopped = errors.New("the run has been stopped")
	nothing    = make(chan struct{}) // is closed: there is nothing to wait for
)

func init() { close(nothing) }

// start opens the workshops. When ctx has ended, finished waits for all but the listing of pictures, which may wait for others.
func (r *run) start(ctx context.Context) (finished func()) {
	workers := runtime.GOMAXPROCS(0)
	const (
		filesAhead  = 2 * vision.MaxFileBytes
		pixelsAhead = 128 << 20
	)
	ahead := r.options.Ahead
	if ahead <= 0 {
		ahead = pixelsAhead
	}
	r.files, r.pixels = newBudget(filesAhead), newBudget(ahead)
	r.toDecode, r.toExtract, r.toWrite = make(chan *job), make(chan *job, 2*workers), make(chan *job, max(workers, r.options.parallel(r.extractor)))
	context.AfterFunc(ctx, func() {
		r.files.close()
		r.pixels.close()
	})
	go r.list(ctx)
	done := make(chan struct{})
	for range workers {
		go func() {
			r.decodeAll(ctx)
			done <- struct{}{}
		}()
	}
	go func() {
		r.extractAll(ctx)
		done <- struct{}{}
	}()
	return func() {
		for range workers + 1 {
			<-done
		}
	}
}

// list sends the pictures on their way.
func (r *run) list(ctx context.Context) {
	defer close(r.toExtract)
	defer close(r.toDecode)
	turn := int64(0)
	r.listed = r.pictures.each(func(p picture) bool {
		j := &job{picture: p, err: p.err, decoded: nothing, extracted: nothing}
		if j.err == nil {
			j.there = r.to.Has(p.id)
		}
		if j.err == nil && !j.there && r.boxExtractor != nil {
			j.boxes, j.err = r.options.Boxes.of(p.id)
		}
		work := j.err == nil && !j.there
		if work {
			j.turn, j.decoded, j.extracted = turn, make(chan struct{}), make(chan struct{})
			turn++
			if p.stream { // its bytes pass by now
				j.content, j.weight, j.err = p.read(r.files, j.turn)
			}
		}
		select {
		case r.toExtract <- j:
		case <-ctx.Done():
			return false
		}
		if !work {
			return true
		}
		select {
		case r.toDecode <- j:
			return true
		case <-ctx.Done():
			return false
		}
	})
}

// decodeAll decodes pictures, one at a time.
func (r *run) decodeAll(ctx context.Context) {
	for {
		select {
		case j, ok := <-r.toDecode:
			if !ok {
				return
			}
			r.decode(j)
			close(j.decoded)
		case <-ctx.Done():
			return
		}
	}
}

func (r *run) decode(j *job) {
	if !j.picture.stream {
		j.content, j.weight, j.err = j.picture.read(r.files, j.turn)
	}
	if j.err == nil {
		j.size = pixels(j.content)
	}
	if !r.pixels.enter(j.turn, j.size) && j.err == nil {
		j.err = errStopped
	}
	if j.err == nil {
		j.err = guarded(func() (err error) {
			j.img, err = vision.Decode(bytes.NewReader(j.content))
			return err
		})
	}
	j.content = nil
	r.files.leave(j.weight)
}

// extractAll lets the extractor look at pictures, in their order, so many at a time.
func (r *run) extractAll(ctx context.Context) {
	defer close(r.toWrite)
	parallel := r.options.parallel(r.extractor)
	busy := make(chan struct{}, parallel)
	defer func() { // wait for those who are at work
		for range parallel {
			busy <- struct{}{}
		}
	}()
	for {
		var j *job
		var ok bool
		select {
		case j, ok = <-r.toExtract:
			if !ok {
				return
			}
		case <-ctx.Done():
			return
		}
		select {
		case <-j.decoded:
		case <-ctx.Done():
			return
		}
		select {
		case r.toWrite <- j:
		case <-ctx.Done():
			return
		}
		if j.extracted == nothing {
			continue
		}
		busy <- struct{}{}
		go func() {
			defer func() { <-busy }()
			r.extract(ctx, j)
			close(j.extracted)
		}()
	}
}

// parallel is how many pictures the extractor is given at once.
func (o Options) parallel(extractor vision.Extractor) int {
	if o.Parallel > 0 {
		return o.Parallel
	}
	if threaded, ok := extractor.(vision.Threaded); ok {
		return max(1, runtime.GOMAXPROCS(0)/max(1, threaded.Threads()))
	}
	return 1
}

func (r *run) extract(ctx context.Context, j *job) {
	if j.err == nil {
		j.err = guarded(func() (err error) {
			if r.boxExtractor == nil {
				j.regions, err = r.extractor.Extract(ctx, j.img)
				return err
			}
			boxes, err := fit(j.boxes, j.img.Bounds().Size())
			if err == nil {
				j.regions, err = r.boxExtractor.ExtractBoxes(ctx, j.img, boxes)
			}
			return err
		})
	}
	j.img = nil
	r.pixels.leave(j.size)
}

// write adds to the target what arrives, and counts.
func (r *run) write(ctx context.Context) (report Report, err error) {
	progress := Progress{}
	for {
		var j *job
		var ok bool
		select {
		case j, ok = <-r.toWrite:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return report, context.Cause(ctx)
		}
		if !ok {
			return report, r.listed
		}
		select {
		case <-j.extracted:
		case <-ctx.Done():
		}
		if ctx.Err() != nil { // which j.err may be about
			return report, context.Cause(ctx)
		}
		if err := r.add(j, &report); err != nil {
			return report, err
		}
		if r.options.Progress != nil {
			progress.Report = report
			progress.Of, progress.All = r.pictures.Len()
			progress.Of = max(progress.Of, report.Done())
			r.options.Progress(progress)
		}
	}
}

// add is for one picture. The error ends the run.
func (r *run) add(j *job, report *Report) error {
	if j.there {
		report.There++
		return nil
	}
	err := j.err
	if err == nil {
		err = r.to.Add(j.picture.id, j.regions)
		if broken := r.to.Err(); broken != nil {
			return broken
		}
	}
	if err == nil {
		report.Added++
		return nil
	}
	report.Failed++
	fault := Fault{ID: j.picture.id, Path: j.picture.path, Err: err}
	if r.options.Fault != nil {
		if err := r.options.Fault(fault); err != nil {
			return err
		}
	}
	if r.options.Strict {
		return fault
	}
	return nil
}
