package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"
)

// atOnce is how many files are downloaded at the same time.
const atOnce = 3

// A pull is one model on its way into the cache.
type pull struct {
	name modelName
	*settings
	cache  repoCache
	client *client
	meter  *meter
}

// run finds the model at its revision.
func (p *pull) run(ctx context.Context) (*Snapshot, error) {
	if commitHash.MatchString(p.name.revision) { // a commit never changes
		if missing, there := p.lacking(p.name.revision); missing == nil {
			return p.snapshot(ctx, p.name.revision, there, p.offline == ""), nil
		}
	}
	if p.offline != "" {
		return p.cached(ctx, fmt.Errorf("%w, and %s", ErrNotCached, p.offline))
	}
	tries := maxTries
	if p.older() != "" {
		tries = 2 // somebody without a network does not want to wait for long
	}
	listed, err := p.client.list(ctx, p.name, tries)
	if err == nil {
		var snapshot *Snapshot
		if snapshot, err = p.fetch(ctx, listed); err == nil {
			return snapshot, nil
		}
	}
	err = p.explained(err)
	switch {
	case errors.Is(err, ErrAccess) && p.older() != "":
		return nil, fmt.Errorf("%w; with HF_HUB_OFFLINE=1 the copy in the cache is taken", err)
	case errors.Is(err, ErrUnreachable):
		return p.cached(ctx, err)
	case unwritable(err):
		return p.cached(ctx, fmt.Errorf("the cache cannot be written (HF_HUB_CACHE says where it is): %w", err))
	}
	return nil, err
}

func unwritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// fetch downloads what the cache lacks of a commit. Weights come last, and the branch is written down at the very end: a download
// that was cut off is never taken for a whole one.
func (p *pull) fetch(ctx context.Context, l *listing) (*Snapshot, error) {
	if !l.files[configName] && !l.files[detectorName] {
		return nil, fmt.Errorf("%w: found no %s among its files: this is no model that transformers or LXMERT knows, nor, without %s, a detector", ErrNotFound, configName, detectorName)
	}
	p.meter = newMeter(p.progress)
	files := slices.DeleteFunc(small(func(name string) bool { return l.files[name] }), func(name string) bool { return !l.files[name] })
	weights := ""
	if !p.withoutWeights {
		var err error
		if weights, err = chosenWeights(l.files); err != nil {
			return nil, err
		}
		if isIndex(weights) {
			files = append(files, weights)
		}
	}
	if err := p.files(ctx, l.commit, files, maxSmall); err != nil {
		return nil, err
	}
	if weights != "" {
		set := []string{weights}
		if isIndex(weights) {
			var err error
			if set, err = shards(p.cache.file(l.commit, weights)); err != nil {
				return nil, err
			}
			for _, name := range set {
				if !l.files[name] {
					return nil, fmt.Errorf("%w: %s, which %s names", ErrNotFound, name, weights)
				}
			}
		}
		if err := p.files(ctx, l.commit, set, 1<<50); err != nil {
			return nil, err
		}
		files = append(files, set...)
	}
	p.record(l)
	return p.snapshot(ctx, l.commit, files, true), nil
}

// record writes down what is known of a commit. That the cache cannot be written is no harm here, for the files are there.
func (p *pull) record(l *listing) {
	err := p.cache.remember(p.name.revision, l.commit)
	for _, name := range append(small(func(name string) bool { return l.files[name] }), weightFiles...) {
		if err == nil && !l.files[name] {
			err = p.cache.ruleOut(l.commit, name)
		}
	}
	if err != nil && !unwritable(err) {
		p.note(fmt.Sprintf("%s is in the cache, but which commit it is could not be written down: %v", p.name, err))
	}
}

// files downloads those that are not there, some at once. The first error ends the others, too.
func (p *pull) files(ctx context.Context, commit string, names []string, limit int64) error {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return p.cache.has(commit, name) })
	remote := make([]*remoteFile, len(names))
	if err := each(ctx, len(names), func(ctx context.Context, i int) (err error) {
		remote[i], err = p.client.head(ctx, p.name.repo, commit, names[i])
		if err == nil && remote[i].size > limit {
			err = fmt.Errorf("%s: %w: it has %d bytes, which no such file needs", names[i], ErrRefused, remote[i].size)
		}
		return err
	}); err != nil {
		return err
	}
	for _, f := range remote {
		p.meter.expect(f)
	}
	return each(ctx, len(names), func(ctx context.Context, i int) error {
		if err := p.blob(ctx, remote[i]); err != nil {
			return fmt.Errorf("%s: %w", names[i], err)
		}
		return p.cache.place(remote[i].etag, commit, names[i], p.noSymlinks)
	})
}

// each calls f for 0..n-1, atOnce at the same time. The first error ends the others; it is what comes back.
func each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	turns := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	for i := range n {
		turns <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			defer func() { <-turns }()
			if err := f(ctx, i); err != nil {
				cancel(err)
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

// older is the commit in the cache that can serve if the hub cannot be reached: where the revision was last known to be; or, if that is not whole and
// nothing but main was asked for, the newest that is.
func (p *pull) older() string {
	last := p.cache.commitOf(p.name.revision)
	if last != "" {
		if missing, _ := p.lacking(last); missing == nil {
			return last
		}
	}
	if p.name.revision == defaultRevision {
		for _, commit := range p.cache.commits() {
			if missing, _ := p.lacking(commit); missing == nil {
				return commit
			}
		}
	}
	return ""
}

// cached takes the model from the cache, for the reason why, or says what is missing there.
func (p *pull) cached(ctx context.Context, why error) (*Snapshot, error) {
	commit, last := p.older(), p.cache.commitOf(p.name.revision)
	if commit != "" {
		if p.offline == "" {
			p.note(fmt.Sprintf("%s: %v; taking commit %.12s from the cache, which may not be the newest", p.name, why, commit))
		} else if commit != last {
			p.note(fmt.Sprintf("%s: %s; taking commit %.12s from the cache: which one %s is, or all of it, is not there", p.name, p.offline, commit, p.name.revision))
		}
		_, there := p.lacking(commit)
		return p.snapshot(ctx, commit, there, false), nil
	}
	commits := p.cache.commits()
	switch {
	case last != "" && slices.Contains(commits, last):
		missing, _ := p.lacking(last)
		return nil, fmt.Errorf("%w; commit %.12s is in the cache (%s), but lacks %v", why, last, p.cache.dir, missing)
	case len(commits) > 0:
		return nil, fmt.Errorf("%w; the cache (%s) has nothing of revision %s, but something of commits %v", why, p.cache.dir, p.name.revision, commits)
	}
	if _, err := os.Stat(p.cache.dir); err != nil {
		return nil, fmt.Errorf("%w; the cache has no %s", why, p.cache.dir)
	}
	return nil, fmt.Errorf("%w; the cache (%s) has no commit of it", why, p.cache.dir)
}

// snapshot is the result.
func (p *pull) snapshot(ctx context.Context, commit string, files []string, mayAsk bool) *Snapshot {
	s := &Snapshot{Repo: p.name.repo, Revision: p.name.revision, Commit: commit, Dir: p.cache.snapshot(commit), Files: files}
	if p.meter != nil {
		s.Bytes = p.meter.received()
	}
	if !p.withoutWeights && !slices.Contains(files, labelsName) {
		s.Labels = p.labels(ctx, mayAsk)
	}
	return s
}
