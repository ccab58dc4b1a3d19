package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/go-lxmert/lxmert/cluster/beam/files"
	"github.com/go-lxmert/lxmert/data"
)

// ExtractOptions say what Extract does.
type ExtractOptions struct {
	Job      string // a name that no other job has, for Failure
	Sources  Sources
	Out      string // directory of the region store
	Parts    int    // into how many the store is divided; it stays so
	Workers  int    // parts that a worker process works on at once
	Parallel int    // pictures of a part that the extractor is given at once, 0: as extract.Options has it

	Detector   Detector
	Float32    bool
	ShardBytes int64 // 0 is data.DefaultShardBytes

	Scratch string // directory for parts at work, "": a hidden one in Out, or if that is no file system os.TempDir
	Again   bool   // parts with dead letters are done again, too
}

func init() {
	register.DoFn4x1[context.Context, int, func(*Picture) bool, func(Done), error](&extractFn{})
	register.DoFn3x1[context.Context, []byte, func(*Done) bool, error](&assembleStoreFn{})
	register.Iter1[Picture]()
	register.Iter1[Done]()
	register.Emitter1[Done]()
}

// Check says before a job begins what would end it: options, an output that holds something else, a detector that is not there (here, and each worker
// needs it).
func (o ExtractOptions) Check(ctx context.Context) error {
	if err := errors.Join(o.Sources.check(), checkParts(o.Parts), checkWorkers(o.Workers), files.Check(o.Out)); err != nil {
		return err
	}
	if _, err := o.Detector.open(ctx); err != nil {
		return err
	}
	if err := o.checkOut(ctx); err != nil {
		return err
	}
	return writable(ctx, o.Out, o)
}

// checkOut says whether a store is there that is none of this job.
func (o ExtractOptions) checkOut(ctx context.Context) error {
	extractor, err := o.Detector.open(ctx)
	if err != nil {
		return err
	}
	agree := func(name string, m data.Manifest) error {
		switch {
		case m.Parts == 0:
			return fmt.Errorf("%s: found a store that is not divided, want none or one of %d parts: take another directory", o.Out, o.Parts)
		case m.Parts != o.Parts:
			return fmt.Errorf("%s: found a store of %d parts, want %d: the number of parts must stay; take %d, or another directory", o.Out, m.Parts, o.Parts, m.Parts)
		case m.Preset != "" && m.Preset != extractor.Preset():
			return fmt.Errorf("%s: %s has preset %q, want %q: regions of two detectors do not belong into one store", o.Out, name, m.Preset, extractor.Preset())
		case m.DType == "F32" != o.Float32:
			return fmt.Errorf("%s: %s has features of type %s: regions of two kinds do not belong into one store", o.Out, name, m.DType)
		}
		return nil
	}
	if files.IsLocal(o.Out) {
		m, err := data.ReadManifest(o.Out)
		if err == nil {
			return agree(data.ManifestName, m)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	found, err := files.In(ctx, o.Out, "*.json")
	if err != nil {
		return err
	}
	for _, file := range found {
		name := files.Base(file)
		part, ok := data.ParsePartSuffix(strings.TrimSuffix(name, path.Ext(name)))
		if !ok {
			continue
		}
		if part.Of != o.Parts {
			return agree(name, data.Manifest{Parts: part.Of})
		}
		content, err := files.Read(ctx, file, maxReceipt)
		if err != nil {
			return err
		}
		m, err := data.ParsePartManifest(content)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		return agree(name, m.Manifest) // one stands for all: they are compared when they are put together
	}
	return nil
}

// Extract finds the regions of pictures and keeps them in a store that is divided into parts, the same bytes as those that lxmert extract --shard writes of
// the same pictures, sorted by id. The store's manifest is written when all parts are done; dead letters are in OUT.faults.jsonl.
func Extract(s beam.Scope, o ExtractOptions) {
	s = s.Scope("extract")
	byPart := beam.GroupByKey(s, o.Sources.pictures(s, o.Job, o.Parts))
	done := beam.ParDo(s, &extractFn{Options: o}, byPart)
	beam.ParDo0(s, &assembleStoreFn{Options: o}, beam.Impulse(s), beam.SideInput{Input: done})
}

// extractFn works on parts.
type extractFn struct {
	Options ExtractOptions
	lanes   *lanes
}

// Setup loads the detector, if the process has none yet.
func (f *extractFn) Setup(ctx context.Context) error {
	_, err := f.Options.Detector.open(ctx)
	return failed(ctx, f.Options.Job, err)
}

func (f *extractFn) StartBundle(ctx context.Context, _ func(Done)) error {
	f.lanes = newLanes(ctx, f.Options.Workers)
	return nil
}

// ProcessElement begins a part, when there is room for it. The part is done at the end of the bundle at the latest.
func (f *extractFn) ProcessElement(ctx context.Context, index int, pictures func(*Picture) bool, _ func(Done)) error {
	part := &extractPart{options: f.Options, part: data.Part{Index: index, Of: f.Options.Parts}}
	var p Picture
	for pictures(&p) {
		if err := part.take(ctx, p); err != nil {
			part.close()
			return failed(ctx, f.Options.Job, err)
		}
		p = Picture{}
	}
	err := f.lanes.add(func(ctx context.Context) (Done, error) {
		defer part.close()
		return part.run(ctx)
	})
	return failed(ctx, f.Options.Job, err)
}

// FinishBundle waits for the parts of the bundle.
func (f *extractFn) FinishBundle(ctx context.Context, emit func(Done)) error {
	return failed(ctx, f.Options.Job, f.lanes.report(ctx, emit))
}

// assembleStoreFn puts the parts together when all are done.
type assembleStoreFn struct{ Options ExtractOptions }

func (f *assembleStoreFn) ProcessElement(ctx context.Context, _ []byte, done func(*Done) bool) error {
	parts, err := everyPart(done, f.Options.Parts)
	if err == nil {
		err = errors.Join(f.assemble(ctx), joinDeadLetters(ctx, f.Options.Out, parts))
	}
	return failed(ctx, f.Options.Job, err)
}

func (f *assembleStoreFn) assemble(ctx context.Context) error {
	if files.IsLocal(f.Options.Out) {
		_, err := data.Assemble(f.Options.Out)
		return err
	}
	var manifests []data.PartManifest
	for i := range f.Options.Parts {
		path := files.Join(f.Options.Out, data.Part{Index: i, Of: f.Options.Parts}.FileSuffix()+".json")
		content, err := files.Read(ctx, path, maxReceipt)
		if err != nil {
			return err
		}
		m, err := data.ParsePartManifest(content)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		manifests = append(manifests, m)
	}
	m, err := data.JoinParts(f.Options.Out, manifests)
	if err != nil {
		return err
	}
	content, err := m.Bytes()
	if err != nil {
		return err
	}
	return files.Write(ctx, files.Join(f.Options.Out, data.ManifestName), content)
}

// everyPart are all parts in their order, each once, though a runner may have made one twice.
func everyPart(done func(*Done) bool, n int) ([]Done, error) {
	parts := make([]Done, n)
	found := make([]bool, n)
	missing := n
	var d Done
	for done(&d) {
		if d.Of != n || d.Part < 0 || d.Part >= n {
			return nil, fmt.Errorf("found part %v, want one of %d", d.part(), n)
		}
		if !found[d.Part] {
			missing--
		}
		parts[d.Part], found[d.Part] = d, true
	}
	if missing > 0 {
		return nil, fmt.Errorf("%d of %d parts are missing", missing, n)
	}
	return parts, nil
}
