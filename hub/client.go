package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A client asks the hub. Redirects are followed by hand, for two reasons: the token goes to the hub's own host only, and not to its subdomains
// either, as Go's client would have it; and what a file is can be read from the answer that sends one elsewhere for its content.
type client struct {
	*settings
	http *http.Client
}

const (
	maxRedirects = 10
	maxListing   = 32 << 20 // bytes of a model's description
)

func newClient(s *settings) *client {
	return &client{s, &http.Client{
		Transport:     s.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// A listing is what the hub says of a model at a revision.
type listing struct {
	commit string
	files  map[string]bool
}

// list asks which commit a revision is, and which files it has.
func (c *client) list(ctx context.Context, n modelName, tries int) (*listing, error) {
	var described struct {
		Sha      string `json:"sha"`
		Siblings []struct {
			Name string `json:"rfilename"`
		} `json:"siblings"`
	}
	err := c.insist(ctx, tries, func() error {
		ctx, cancel := c.limited(ctx)
		defer cancel()
		response, _, err := c.do(ctx, http.MethodGet, c.at("api", "models", n.repo, "revision", n.revision), nil, false)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		content, err := readAnswer(ctx, response, maxListing)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(content, &described); err != nil {
			return fmt.Errorf("%w: %s does not answer as the hub does: %v", ErrRefused, c.endpoint.Host, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !commitHash.MatchString(described.Sha) {
		return nil, fmt.Errorf("%w: %s says that the commit is %q", ErrRefused, c.endpoint.Host, cut(described.Sha))
	}
	l := &listing{described.Sha, make(map[string]bool, len(described.Siblings))}
	for _, file := range described.Siblings {
		if err := safePath(file.Name); err != nil {
			return nil, err
		}
		l.files[file.Name] = true
	}
	return l, nil
}

// readAnswer reads the body of a small answer.
func readAnswer(ctx context.Context, response *http.Response, limit int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", response.Request.URL.Host, err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("%w: %s answers with more than %d bytes", ErrRefused, response.Request.URL.Host, limit)
	}
	return content, nil
}

// A remoteFile is a file of a model at a commit.
type remoteFile struct {
	name string
	url  *url.URL
	etag string // its content's hash: SHA-256 of a large file, Git's SHA-1 of a small one
	size int64
}

// head asks what a file is.
func (c *client) head(ctx context.Context, repo, commit, name string) (*remoteFile, error) {
	f := &remoteFile{name: name, url: c.at(repo, "resolve", commit, name)}
	err := c.insist(ctx, maxTries, func() error {
		ctx, cancel := c.limited(ctx)
		defer cancel()
		response, said, err := c.do(ctx, http.MethodHead, f.url, nil, true)
		if err != nil {
			return err
		}
		response.Body.Close()
		if found := said.Get("X-Repo-Commit"); found != "" && found != commit {
			return fmt.Errorf("%w: it is of commit %q, asked for %s", ErrCorrupt, cut(found), commit)
		}
		f.etag = plainEtag(said)
		if !hashed(f.etag) {
			return fmt.Errorf("%w: its ETag is %q, want the content's SHA-256, or Git's SHA-1: is %s a hub?", ErrRefused, cut(f.etag), c.endpoint.Host)
		}
		size := said.Get("X-Linked-Size")
		if size == "" && response.StatusCode < 300 {
			size = response.Header.Get("Content-Length")
		}
		if f.size, err = strconv.ParseInt(size, 10, 64); err != nil || f.size < 0 {
			return fmt.Errorf("%w: its size is said to be %q", ErrRefused, cut(size))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// plainEtag is the content's hash. That of the answer itself is another, where the content is elsewhere.
func plainEtag(header http.Header) string {
	etag := header.Get("X-Linked-Etag")
	if etag == "" {
		etag = header.Get("ETag")
	}
	return strings.ToLower(strings.Trim(strings.TrimPrefix(etag, "W/"), `"`))
}

// at is an address of the hub; the parts may have slashes, but for a revision, which is one part of the path.
func (c *client) at(parts ...string) *url.URL {
	u := *c.endpoint
	var plain, escaped strings.Builder
	for i, part := range parts {
		plain.WriteString("/" + part)
		if i > 0 && (parts[i-1] == "revision" || parts[i-1] == "resolve") {
			escaped.WriteString("/" + url.PathEscape(part))
			continue
		}
		for piece := range strings.SplitSeq(part, "/") {
			escaped.WriteString("/" + url.PathEscape(piece))
		}
	}
	u.RawPath = u.EscapedPath() + escaped.String()
	u.Path += plain.String()
	return &u
}

// limited bounds how long an answer without a body, or with a small one, may take.
func (c *client) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.headTimeout, &slow{c.headTimeout, "HF_HUB_ETAG_TIMEOUT"})
}

// slow is the cause of a request's end that the caller did not ask for.
type slow struct {
	limit time.Duration
	name  string
}

func (s *slow) Error() string { return fmt.Sprintf("no answer within %v (%s)", s.limit, s.name) }

// do makes a request and follows redirects; it returns the last answer, and what the answers on the way said in headers, the first word counting, but for
// those that only the last can have. With stay a redirect to another host is the last answer; else one is an error. So is any status but 2xx.
func (c *client) do(ctx context.Context, method string, to *url.URL, header http.Header, stay bool) (*http.Response, http.Header, error) {
	said := http.Header{}
	for range maxRedirects + 1 {
		response, err := c.once(ctx, method, to, header)
		if err != nil {
			return nil, nil, err
		}
		for name, values := range response.Header {
			if _, before := said[name]; !before || !strings.HasPrefix(name, "X-") {
				said[name] = values
			}
		}
		if response.StatusCode < 300 || response.StatusCode == http.StatusNotModified {
			return response, said, nil
		}
		if response.StatusCode >= 400 {
			response.Body.Close()
			return nil, nil, newStatusError(to, response)
		}
		next, err := to.Parse(response.Header.Get("Location"))
		if err != nil || response.Header.Get("Location") == "" || next.Host == "" || (next.Scheme != "https" && (next.Scheme != "http" || to.Scheme == "https")) {
			response.Body.Close()
			return nil, nil, fmt.Errorf("%w: %s sends on to %q", ErrRefused, to.Host, cut(response.Header.Get("Location")))
		}
		if stay && !sameOrigin(to, next) {
			return response, said, nil
		}
		response.Body.Close()
		to = next
	}
	return nil, nil, fmt.Errorf("%w: %s sends on more than %d times", ErrRefused, c.endpoint.Host, maxRedirects)
}

// once makes one request. The token goes to the hub alone.
func (c *client) once(ctx context.Context, method string, to *url.URL, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, to.String(), nil)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("User-Agent", "lxmert (+https://github.com/go-lxmert/lxmert)")
	request.Header.Set("Accept-Encoding", "identity") // sizes and hashes are the content's
	if c.token != "" && sameOrigin(to, c.endpoint) {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) { // its text has the whole address, signatures and all
			err = fmt.Errorf("%s: %w", to.Host, wrapped.Err)
		}
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%s: %w", to.Host, cause)
		}
		return nil, err
	}
	if encoding := response.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" && method == http.MethodGet {
		response.Body.Close()
		return nil, fmt.Errorf("%w: %s encodes what it sends (%q), though asked not to", ErrRefused, to.Host, cut(encoding))
	}
	return response, nil
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
