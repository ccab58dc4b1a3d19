package extract

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/vision"
)

const wildcards = "*?["

func isPattern(path string) bool { return strings.ContainsAny(path, wildcards) }

// pattern finds what a pattern means: files by name; with an end in the pattern (*.dat) all that match, else pictures. A directory that matches stands for
// the pictures in it, unless ** has been there, which comes to the files themselves.
func (p *Pictures) pattern(pattern string, recursive bool) ([]source, error) {
	base, parts := splitPattern(pattern)
	for _, part := range parts {
		if _, err := path.Match(part, ""); err != nil {
			return nil, fmt.Errorf("%s: no such file, and as a pattern %q has no end of its [", pattern, part)
		}
	}
	g := glob{deep: slices.Contains(parts, "**")}
	if ext := path.Ext(parts[len(parts)-1]); len(ext) > 1 && !isPattern(ext) {
		g.any = true
	}
	if err := g.match(base, "", parts); err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	var found []source
	if len(g.files) > 0 {
		slices.Sort(g.files)
		found = append(found, &files{dir: base, names: slices.Compact(g.files), ids: p.idOf})
	}
	slices.Sort(g.dirs)
	for _, dir := range g.dirs {
		var err error
		if found, err = p.tree(found, filepath.Join(base, dir), filepath.ToSlash(dir), recursive); err != nil {
			return nil, err
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: no such file, and as a pattern it matches no pictures, files that end in %s", pattern, strings.Join(vision.FileTypes(), ", "))
	}
	return found, nil
}

// splitPattern divides a pattern into the directory before its first wildcard and the parts from there on.
func splitPattern(pattern string) (base string, parts []string) {
	volume := filepath.VolumeName(pattern)
	parts = strings.Split(filepath.ToSlash(pattern[len(volume):]), "/")
	first := slices.IndexFunc(parts, isPattern)
	base = strings.Join(parts[:first], "/")
	if base == "" && first > 0 {
		base = "/"
	}
	parts = slices.DeleteFunc(parts[first:], func(part string) bool { return part == "" })
	return filepath.FromSlash(volume + base), parts
}

// A glob gathers what matches, by paths from its base on.
type glob struct {
	deep, any   bool // there is a **; all files count, not only pictures
	files, dirs []string
}

// match looks in base/dir for what the parts of the pattern name.
func (g *glob) match(base, dir string, parts []string) error {
	part, last := parts[0], len(parts) == 1
	if part == "**" {
		if last { // all files below, as **/* has
			parts, last = []string{"**", "*"}, false
		}
		if err := g.match(base, dir, parts[1:]); err != nil {
			return err
		}
	} else if !isPattern(part) && !last {
		return g.match(base, filepath.Join(dir, part), parts[1:])
	}
	var below []string
	err := readDir(orHere(filepath.Join(base, dir)), func(e fs.DirEntry) {
		name := e.Name()
		within := filepath.Join(dir, name)
		hidden := name[0] == '.' && part[0] != '.'
		if part == "**" {
			if e.IsDir() && !hidden {
				below = append(below, within)
			}
			return
		}
		if ok, _ := path.Match(part, name); !ok || hidden {
			return
		}
		isDir := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			info, err := os.Stat(filepath.Join(base, within))
			isDir = err == nil && info.IsDir()
		}
		switch {
		case isDir && !last:
			below = append(below, within)
		case isDir && !g.deep:
			g.dirs = append(g.dirs, within)
		case !isDir && last && (g.any || isPicture(name)):
			g.files = append(g.files, within)
		}
	})
	if os.IsNotExist(err) || isNotDirectory(base, dir) {
		return nil // nothing matches
	}
	if err != nil {
		return err
	}
	slices.Sort(below)
	for _, within := range below {
		rest := parts[1:]
		if part == "**" {
			rest = parts
		}
		if err := g.match(base, within, rest); err != nil {
			return err
		}
	}
	return nil
}

func orHere(dir string) string {
	if dir == "" {
		return "."
	}
	return dir
}

func isNotDirectory(base, dir string) bool {
	info, err := os.Stat(orHere(filepath.Join(base, dir)))
	return err == nil && !info.IsDir()
}
