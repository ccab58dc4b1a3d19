// Package hub finds models by name: "unc-nlp/lxmert-vqa-uncased" instead of a directory. A model is downloaded once, into the cache that
// Python's huggingface_hub keeps, in its layout: what one of them has downloaded the other finds.
//
//	dir, err := hub.Resolve(ctx, "unc-nlp/lxmert-vqa-uncased", hub.Options{})
//
// The environment is huggingface_hub's: HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE and the rest; see [Options]. Only what a model
// here needs is downloaded: its configuration, its tokenizer, and one set of weights.
package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"
)

// Options are choices for [Pull], [Find] and [Resolve]. What is left empty comes from the environment.
type Options struct {
	// Revision is a branch, a tag, or a commit of 40 hexadecimal digits; empty: the name's (NAME@REVISION), or main.
	Revision string
	// Cache is the cache's directory; empty: $HF_HUB_CACHE, $HUGGINGFACE_HUB_CACHE, $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub or
	// ~/.cache/huggingface/hub, the first that is set.
	Cache string
	// Endpoint is the hub's address; empty: $HF_ENDPOINT or https://huggingface.co.
	Endpoint string
	// Token proves who is asking, for gated and private models; empty: that in TokenFile, or else $HF_TOKEN, $HUGGING_FACE_HUB_TOKEN, or
	// the content of $HF_TOKEN_PATH or $HF_HOME/token, unless $HF_HUB_DISABLE_IMPLICIT_TOKEN is on. It is sent to Endpoint's own host only.
	Token string
	// TokenFile is a file with the token; unlike the environment's it must be there.
	TokenFile string
	// Offline leaves the network alone; so do $HF_HUB_OFFLINE and $TRANSFORMERS_OFFLINE.
	Offline bool
	// WithoutWeights leaves the weights out, for who needs only the configuration or the tokenizer.
	WithoutWeights bool
	// LabelsEndpoint is where the answer tables of known models come from, see [Snapshot.Labels]; empty: $LXMERT_LABELS_ENDPOINT or
	// https://raw.githubusercontent.com.
	LabelsEndpoint string
	// Progress is told how far the download is, one call at a time; nil: nobody is.
	Progress func(Progress)
	// Note is told what a user should know though it is no error, one call at a time; nil: nobody is.
	Note func(string)
	// Transport makes the requests; nil: the standard library's, which honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
	Transport http.RoundTripper

	pause time.Duration // before the first repetition of a request, 0 for a second; tests have less time
}

// A Snapshot is a model at one commit, in the cache.
type Snapshot struct {
	Repo     string // ORG/NAME; empty: Dir was given as a directory
	Revision string // what was asked for
	Commit   string // what that was, 40 hexadecimal digits
	Dir      string // has the model's files
	// Labels is the file of what the answer head's logits mean, for the models whose authors keep it elsewhere: LXMERT's own. Empty: none is
	// known, or it cannot be had, of which there was a note.
	Labels string
	Files  []string // what was asked for and is there, by name
	Bytes  int64    // downloaded in this call
}

// What errors.Is finds in errors of this package. What the file system and the context say can be found, too.
var (
	ErrNotFound    = errors.New("not on the hub")              // no such model, revision or file
	ErrAccess      = errors.New("no access")                   // gated, private, or the token is not valid
	ErrNotCached   = errors.New("not in the cache")            // and the network may not or cannot be used
	ErrUnreachable = errors.New("the hub cannot be reached")   // no network, or its server fails
	ErrCorrupt     = errors.New("not what the hub announced")  // another size or hash
	ErrRefused     = errors.New("refused as it may do damage") // the server's answer names files outside, is endless, or the like
)

// Resolve is the directory of a model. A directory that is there is itself; what is not there and cannot be a name is the error
// fs.ErrNotExist; all else is a name, ORG/NAME or ORG/NAME@REVISION, and is looked for as [Pull] does.
func Resolve(ctx context.Context, nameOrDir string, o Options) (dir string, err error) {
	snapshot, err := Find(ctx, nameOrDir, o)
	if err != nil {
		return "", err
	}
	return snapshot.Dir, nil
}

// Find is [Resolve] for who wants to know more: of a directory, only Dir is set.
func Find(ctx context.Context, nameOrDir string, o Options) (*Snapshot, error) {
	_, err := os.Stat(nameOrDir)
	if err == nil {
		return &Snapshot{Dir: nameOrDir}, nil
	}
	if !errors.Is(err, os.ErrNotExist) || looksLikePath(nameOrDir) {
		return nil, err
	}
	if _, nameErr := parseName(nameOrDir); nameErr != nil {
		return nil, fmt.Errorf("%w (and it is no name of a model: %v)", err, nameErr)
	}
	snapshot, err := Pull(ctx, nameOrDir, o)
	if err != nil {
		return nil, fmt.Errorf("%s is no directory here, and as a model's name: %w", nameOrDir, err)
	}
	return snapshot, nil
}

// Pull finds a model by its name, ORG/NAME or ORG/NAME@REVISION, and downloads what the cache lacks of it. A commit that is in the cache is
// taken from there without a request; of a branch or a tag the hub is asked where it is now. If the hub cannot be reached, what the cache has is taken,
// with a note.
//
// Interrupted downloads go on where they were, also after a crash. Every file is checked against the hash that the hub announced before
// it gets its name. Several calls, also in several programs, download a file once.
func Pull(ctx context.Context, name string, o Options) (*Snapshot, error) {
	n, err := parseName(name)
	if err != nil {
		return nil, err
	}
	if o.Revision != "" {
		if n.revision != "" && n.revision != o.Revision {
			return nil, fmt.Errorf("%s: revision %s was asked for, too: which is it?", name, o.Revision)
		}
		n.revision = o.Revision
	}
	if n.revision == "" {
		n.revision = defaultRevision
	}
	if err := checkRevision(n.revision); err != nil {
		return nil, err
	}
	s, err := settle(o)
	if err != nil {
		return nil, err
	}
	p := &pull{name: n, settings: s, cache: newRepoCache(s.cache, n.repo), client: newClient(s)}
	snapshot, err := p.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n, err)
	}
	return snapshot, nil
}

// CacheDir is the directory of the cache, which need not be there yet.
func CacheDir(o Options) (string, error) { return cacheRoot(o.Cache) }
