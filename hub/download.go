package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/filelock"
)

// diskError is an error of the file system, not of the network.
type diskError struct{ error }

func (e *diskError) Unwrap() error { return e.error }

// blob sees to it that a file's content is in the cache, whole and checked.
func (p *pull) blob(ctx context.Context, f *remoteFile) error {
	path, partial := p.cache.blob(f.etag), p.cache.partial(f.etag)
	for _, dir := range []string{filepath.Dir(path), p.cache.locks} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return &diskError{err}
		}
	}
	p.cache.tag()
	lock, err := p.lock(ctx, f)
	if err != nil {
		return err
	}
	defer lock.Release()
	if isFile(path) { // of another commit, or another program was faster
		p.meter.at(f, f.size, 0)
		return nil
	}
	for {
		began, err := p.fill(ctx, f, partial)
		if err == nil {
			err = verify(partial, f)
		}
		if errors.Is(err, ErrCorrupt) {
			os.Remove(partial)
			if began > 0 { // what an earlier call has left may be what is wrong
				p.note(fmt.Sprintf("%s: what an earlier download has left does not fit, and is downloaded again", f.name))
				p.meter.at(f, 0, 0)
				continue
			}
		}
		if err != nil {
			return err
		}
		if err := atomicfile.Rename(partial, path); err != nil {
			return &diskError{err}
		}
		return nil
	}
}

// lock waits until nobody else downloads the same content.
func (p *pull) lock(ctx context.Context, f *remoteFile) (*filelock.Lock, error) {
	waiting := time.Now()
	for said := false; ; {
		lock, err := filelock.Acquire(p.cache.lock(f.etag))
		if err == nil {
			return lock, nil
		}
		if !errors.Is(err, filelock.ErrHeld) {
			return nil, &diskError{err}
		}
		if !said && time.Since(waiting) > 2*time.Second {
			said = true
			p.note(fmt.Sprintf("%s: another program downloads it, waiting (%s)", f.name, p.cache.lock(f.etag)))
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// fill downloads into a partial file until it is whole, and returns how much of it was there before.
//
// Bytes are written where they belong in the file, not at its end: on file systems whose locks do nothing two programs would write the same
// to the same places.
func (p *pull) fill(ctx context.Context, f *remoteFile, partial string) (began int64, err error) {
	file, err := os.OpenFile(partial, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return 0, &diskError{err}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, &diskError{err}
	}
	if began = info.Size(); began > f.size {
		began = 0
		if err := file.Truncate(0); err != nil {
			return 0, &diskError{err}
		}
	}
	if err := p.stream(ctx, f, file, began); err != nil {
		var disk *diskError
		if errors.As(err, &disk) {
			return began, fmt.Errorf("%w; what there is stays in %s, and the next attempt goes on with it", err, partial)
		}
		return began, err
	}
	if err := file.Sync(); err != nil {
		return began, &diskError{err}
	}
	return began, nil
}

// stream asks for the rest of a file as often as it takes, as long as each time there is more of it than ever before.
func (p *pull) stream(ctx context.Context, f *remoteFile, file io.WriterAt, done int64) error {
	p.meter.at(f, done, 0)
	most := done
	for try := 1; done < f.size; try++ {
		var err error
		done, err = p.receive(ctx, f, file, done)
		if done > most {
			most, try = done, 1
		}
		if err != nil {
			if err := p.client.again(ctx, try, maxTries, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// receive makes one request for what lies behind the first bytes, and returns up to where the file is right now.
func (p *pull) receive(ctx context.Context, f *remoteFile, file io.WriterAt, from int64) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(p.stallTimeout, func() { cancel(&slow{p.stallTimeout, "HF_HUB_DOWNLOAD_TIMEOUT"}) })
	defer late.Stop()
	header := http.Header{}
	if from > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	response, _, err := p.client.do(ctx, http.MethodGet, f.url, header, false)
	var status *statusError
	if errors.As(err, &status) && status.code == http.StatusRequestedRangeNotSatisfiable {
		return from, fmt.Errorf("%w: asked for what follows byte %d: %w", ErrCorrupt, from, err)
	}
	if err != nil {
		return from, err
	}
	defer response.Body.Close()
	at := int64(0) // a server that knows no ranges begins at the beginning
	if response.StatusCode == http.StatusPartialContent {
		if at = from; !strings.HasPrefix(response.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", from)) {
			return from, fmt.Errorf("%w: asked for what follows byte %d, found Content-Range %q", ErrCorrupt, from, cut(response.Header.Get("Content-Range")))
		}
	}
	if n := response.ContentLength; n >= 0 && at+n != f.size {
		return from, fmt.Errorf("%w: found %d bytes, want %d", ErrCorrupt, at+n, f.size)
	}
	buffer := make([]byte, 1<<18)
	for {
		late.Reset(p.stallTimeout)
		n, err := response.Body.Read(buffer)
		late.Stop() // a slow disk is no slow server
		if at+int64(n) > f.size {
			return at, fmt.Errorf("%w: found more than %d bytes", ErrCorrupt, f.size)
		}
		if n > 0 {
			if _, err := file.WriteAt(buffer[:n], at); err != nil {
				return at, &diskError{err}
			}
			at += int64(n)
			p.meter.at(f, at, n)
		}
		switch {
		case err == io.EOF && at == f.size:
			return at, nil
		case err == io.EOF:
			err = io.ErrUnexpectedEOF
			fallthrough
		case err != nil:
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return at, fmt.Errorf("cut off after %d of %d bytes: %w", at, f.size, err)
		}
	}
}
