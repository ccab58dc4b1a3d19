// Package web is the page on which people ask pictures, and the page that shows the HTTP API. Both are embedded: files written by hand, without a build step
// and without anything from elsewhere. They speak the server's own API, and nothing else is asked for by them.
//
// What a browser is told to keep for ever has the content's hash in its path, so a page never meets the scripts of another version.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// ContentSecurityPolicy is what the pages may do: run this server's scripts, show this server's pictures and those that a person has chosen, ask this server.
// Scripts and styles in the HTML itself are not run.
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

//go:embed static
var embedded embed.FS

// version stands in the HTML files for the hash of all files.
const version = "{version}"

// types are the kinds of files there are. The machine's own table (package mime) differs from one machine to the next, and a browser refuses a module of
// another type.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// Handler serves the page at /, the API's documentation at /docs, and what they are made of below /web/. Other paths are not found. Paths within the pages are
// relative, so the handler may stand below a prefix (http.StripPrefix) together with the API.
func Handler() http.Handler {
	files, err := fs.Sub(embedded, "static")
	if err != nil {
		panic(fmt.Sprintf("web: %v", err)) // the directory is embedded above
	}
	h, err := newHandler(files)
	if err != nil {
		panic(fmt.Sprintf("web: %v", err)) // a file that tests have seen
	}
	return h
}

// newHandler serves the files of a directory.
func newHandler(files fs.FS) (http.Handler, error) {
	contents, hash, err := read(files)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for name, content := range contents {
		a := asset{kind: types[path.Ext(name)], caching: "public, max-age=31536000, immutable", content: content}
		pattern := "GET /web/" + hash + "/" + name
		if path.Ext(name) == ".html" {
			// A page is asked for anew each time, and not sent again where it has not changed.
			a.caching = "no-cache"
			a.content = bytes.ReplaceAll(content, []byte(version), []byte(hash))
			if pattern = "GET /" + name[:len(name)-len(".html")]; name == "index.html" {
				pattern = "GET /{$}"
			}
		}
		sum := sha256.Sum256(a.content)
		a.tag = `"` + hex.EncodeToString(sum[:12]) + `"`
		mux.Handle(pattern, a)
	}
	return mux, nil
}

// read is each file's content by name, and a hash of all of them.
func read(files fs.FS) (contents map[string][]byte, hash string, err error) {
	contents = map[string][]byte{}
	all := sha256.New()
	err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if types[path.Ext(name)] == "" {
			return fmt.Errorf("%s: no content type for files of this kind", name)
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		contents[name] = content
		fmt.Fprintf(all, "%s %d\n", name, len(content))
		all.Write(content)
		return nil
	})
	return contents, hex.EncodeToString(all.Sum(nil)[:6]), err
}

// An asset is one file as it is sent.
type asset struct {
	kind, caching, tag string
	content            []byte
}

func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", a.kind)
	header.Set("Cache-Control", a.caching)
	header.Set("ETag", a.tag)
	header.Set("Content-Security-Policy", ContentSecurityPolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.content)) // answers If-None-Match, HEAD and ranges
}
