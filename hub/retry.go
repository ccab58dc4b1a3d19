package hub

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

const (
	maxTries = 6               // of a request, without any progress between them
	maxPause = 2 * time.Minute // between two; a server that wants more is not waited for
)

// insist repeats a request that fails for reasons that may pass.
func (c *client) insist(ctx context.Context, tries int, request func() error) error {
	for try := 1; ; try++ {
		err := request()
		if err == nil {
			return nil
		}
		if err := c.again(ctx, try, tries, err); err != nil {
			return err
		}
	}
}

// again waits after a request that failed for the try-th time; or returns why there is no use in repeating it.
func (c *client) again(ctx context.Context, try, tries int, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !passing(err) {
		return err
	}
	pause := min(c.pause<<min(try-1, 3), maxPause)
	var status *statusError
	if errors.As(err, &status) {
		if status.pause > maxPause {
			return fmt.Errorf("%w: %w; it wants to be left alone for %v", ErrUnreachable, err, status.pause)
		}
		pause = max(pause, status.pause)
	}
	if try >= tries || hopeless(err) {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// passing tells troubles of the network and of servers from answers.
func passing(err error) bool {
	var status *statusError
	var disk *diskError
	switch {
	case errors.As(err, &status):
		return status.code == http.StatusTooManyRequests || status.code == http.StatusRequestTimeout || status.code >= 500
	case errors.As(err, &disk), errors.Is(err, ErrRefused), errors.Is(err, ErrCorrupt):
		return false
	}
	return true
}

// hopeless are troubles of the network that a second attempt meets again.
func hopeless(err error) bool {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &name) && name.IsNotFound || errors.As(err, &certificate)
}

// statusError is an answer of 4xx or 5xx.
type statusError struct {
	host          string
	code          int
	reason        string // X-Error-Code: RepoNotFound, RevisionNotFound, EntryNotFound, GatedRepo
	message       string // X-Error-Message
	pause         time.Duration
	authenticated bool
}

func newStatusError(from *url.URL, response *http.Response) *statusError {
	return &statusError{
		host: from.Host, code: response.StatusCode,
		reason: response.Header.Get("X-Error-Code"), message: response.Header.Get("X-Error-Message"),
		pause:         retryAfter(response.Header, time.Now()),
		authenticated: response.Request.Header.Get("Authorization") != "",
	}
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("%s answers %d %s", e.host, e.code, http.StatusText(e.code))
	if e.message != "" {
		text += fmt.Sprintf(" (%q)", cut(e.message))
	}
	return text
}

// rateLimit is the time to wait in the header that the hub sends: "api";r=0;t=55.
var rateLimit = regexp.MustCompile(`;\s*r=0\s*;\s*t=(\d{1,9})`)

// retryAfter is how long the server wants to be left alone: seconds, or until a date.
func retryAfter(header http.Header, now time.Time) time.Duration {
	if m := rateLimit.FindStringSubmatch(header.Get("RateLimit")); m != nil {
		n, _ := strconv.Atoi(m[1])
		return time.Duration(n+1) * time.Second // +1 as it is rounded down
	}
	text := header.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}
