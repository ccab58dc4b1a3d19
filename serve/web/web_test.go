package web

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

// get asks the handler for a path.
func get(t *testing.T, h http.Handler, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// contentsOf are the embedded files, and the hash in their paths.
func contentsOf(t *testing.T) (contents map[string]string, hash string) {
	t.Helper()
	files, err := fs.Sub(embedded, "static")
	if err != nil {
		t.Fatal(err)
	}
	raw, hash, err := read(files)
	if err != nil {
		t.Fatal(err)
	}
	contents = map[string]string{}
	for name, content := range raw {
		contents[name] = string(content)
	}
	return contents, hash
}

func TestHandler(t *testing.T) {
	h := Handler()
	contents, hash := contentsOf(t)
	targets := map[string]string{"/": "index.html", "/docs": "docs.html"}
	for name := range contents {
		if path.Ext(name) != ".html" {
			targets["/web/"+hash+"/"+name] = name
		}
	}
	for target, name := range targets {
		res := get(t, h, "GET", target)
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", target, res.StatusCode)
			continue
		}
		caching := "public, max-age=31536000, immutable"
		if path.Ext(name) == ".html" {
			caching = "no-cache"
		}
		for key, want := range map[string]string{
			"Content-Type": types[path.Ext(name)], "Content-Security-Policy": ContentSecurityPolicy, "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "no-referrer", "Cache-Control": caching,
		} {
			if got := res.Header.Get(key); got != want {
				t.Errorf("%s: %s: got %q, want %q", target, key, got, want)
			}
		}
		tag := res.Header.Get("ETag")
		if res := get(t, h, "GET", target, "If-None-Match", tag); res.StatusCode != http.StatusNotModified {
			t.Errorf("%s with its tag %s: status %d, want 304", target, tag, res.StatusCode)
		}
		if res := get(t, h, "POST", target); res.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: status %d, want 405", target, res.StatusCode)
		}
		if res := get(t, h, "HEAD", target); res.StatusCode != http.StatusOK {
			t.Errorf("HEAD %s: status %d", target, res.StatusCode)
		}
	}
	for _, target := range []string{"/index.html", "/other", "/web/", "/web/js/main.js", "/web/000000000000/js/main.js",
		"/web/" + hash + "/js/", "/web/" + hash + "/../web.go"} {
		if res := get(t, h, "GET", target); res.StatusCode == http.StatusOK {
			t.Errorf("%s: found", target)
		}
	}
}

// TestVersion: another content has another path, and a page asks for its own.
func TestVersion(t *testing.T) {
	page := `<script src="web/{version}/a.js"></script>`
	var hashes []string
	for _, script := range []string{"1", "2"} {
		h, err := newHandler(fstest.MapFS{"index.html": {Data: []byte(page)}, "a.js": {Data: []byte(script)}})
		if err != nil {
			t.Fatal(err)
		}
		body := new(strings.Builder)
		if err := get(t, h, "GET", "/").Write(body); err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`web/([0-9a-f]{12})/a\.js`).FindStringSubmatch(body.String())
		if found == nil {
			t.Fatalf("no address of the script in %s", body)
		}
		hashes = append(hashes, found[1])
		if res := get(t, h, "GET", "/web/"+found[1]+"/a.js"); res.StatusCode != http.StatusOK {
			t.Errorf("the script that the page names: status %d", res.StatusCode)
		}
	}
	if hashes[0] == hashes[1] {
		t.Error("two contents have one path")
	}
	if _, err := newHandler(fstest.MapFS{"x.woff": {}}); err == nil || !strings.Contains(err.Error(), "x.woff") {
		t.Errorf("a file of unknown kind: error %v", err)
	}
}

// TestReferences: each file that another names is there, each file is named, and nothing is from elsewhere.
func TestReferences(t *testing.T) {
	contents, _ := contentsOf(t)
	named := map[string]bool{}
	reference := map[string]*regexp.Regexp{
		".html": regexp.MustCompile(`(?:src|href)="web/\{version\}/([^"]+)"`),
		".js":   regexp.MustCompile(`(?:from|import) "([^"]+)"`),
		".css":  regexp.MustCompile(`(?:url\(|@import )"?([^")]+)`),
		".svg":  regexp.MustCompile(`(?:href|src)="([^"]+)"`),
	}
	for name, content := range contents {
		for _, match := range reference[path.Ext(name)].FindAllStringSubmatch(content, -1) {
			target := match[1]
			if path.Ext(name) != ".html" {
				target = path.Join(path.Dir(name), target)
			}
			named[target] = true
			if _, ok := contents[target]; !ok {
				t.Errorf("%s: %s is not there", name, match[1])
			}
		}
		elsewhere := regexp.MustCompile(`(?:https?:)?//[a-z0-9-]+\.[a-z]+[^\s"']*`)
		for _, address := range elsewhere.FindAllString(content, -1) {
			if address != "http://www.w3.org/2000/svg" { // a name, not an address
				t.Errorf("%s: %s is elsewhere", name, address)
			}
		}
	}
	for name := range contents {
		if path.Ext(name) != ".html" && !named[name] {
			t.Errorf("%s: nothing names it", name)
		}
	}
}

// TestNothingInline: the pages hold to their own policy, and texts are never parsed as HTML.
func TestNothingInline(t *testing.T) {
	forbidden := map[string][]string{
		".html": {`<style`, `\sstyle=`, `\son[a-z]+=`, `<script(?:\s+type="module")?>`, `javascript:`, `<base`, `<iframe`, `http-equiv`},
		".js":   {`innerHTML`, `outerHTML`, `insertAdjacentHTML`, `document\.write`, `\beval\(`, `new Function`, `setAttribute\("style"`, `cssText`},
		".svg":  {`<script`, `\sstyle=`, `<style`, `\son[a-z]+=`},
	}
	contents, _ := contentsOf(t)
	for name, content := range contents {
		for _, pattern := range forbidden[path.Ext(name)] {
			if found := regexp.MustCompile(pattern).FindString(content); found != "" {
				t.Errorf("%s: %q", name, found)
			}
		}
	}
}

// TestSize: the page is small enough for any line.
func TestSize(t *testing.T) {
	contents, _ := contentsOf(t)
	all := 0
	for _, content := range contents {
		all += len(content)
	}
	if most := 160 << 10; all > most {
		t.Errorf("all files are %d bytes, want %d at most", all, most)
	}
}

func ExampleHandler() {
	mux := http.NewServeMux()
	mux.Handle("/ask/", http.StripPrefix("/ask", Handler())) // and the API: POST /ask/v1/answers
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/ask/", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}
