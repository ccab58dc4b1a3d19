package hdf5

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Group holds groups and datasets by name.
type Group struct {
	object
	links []Link // by name
}

// An object is what groups and datasets have in common.
type object struct {
	file   *File
	header *header
	path   string
}

// Path is the object's name from the root on, such as "encoder/kernel:0"; "" is the root's.
func (o *object) Path() string { return o.path }

// A Link is a name in a group.
type Link struct {
	Name string

	// Elsewhere is what the name stands for if that is not an object of this file: a path (a soft link), or
	// another file. Such links are listed, and refused when they are opened.
	Elsewhere string

	address uint64
}

// maxName is the longest name that is read: Keras' longest are a tenth of it.
const maxName = 1 << 10

// Links are the names in the group, sorted.
func (g *Group) Links() []Link { return slices.Clone(g.links) }

// Has says whether there is anything of that name in the group.
func (g *Group) Has(name string) bool {
	_, ok := g.link(name)
	return ok
}

func (g *Group) link(name string) (Link, bool) {
	i, ok := slices.BinarySearchFunc(g.links, name, func(l Link, name string) int { return strings.Compare(l.Name, name) })
	if !ok {
		return Link{}, false
	}
	return g.links[i], true
}

// Open opens what is at a path below the group, such as "encoder/kernel:0": a *Group or a *Dataset.
func (g *Group) Open(path string) (any, error) {
	var found any = g
	for name := range strings.SplitSeq(path, "/") {
		at, ok := found.(*Group)
		if !ok {
			return nil, fmt.Errorf("%s is a dataset, want a group with %q in it", plain(found.(*Dataset).path), name)
		}
		link, ok := at.link(name)
		if !ok {
			return nil, fmt.Errorf("%s: there is no %q in it", plain(at.path), name)
		}
		var err error
		if found, err = at.follow(link); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// follow opens what one of the group's links names.
func (g *Group) follow(link Link) (any, error) {
	path := link.Name
	if g.path != "" {
		path = g.path + "/" + link.Name
	}
	if link.Elsewhere != "" {
		return nil, fmt.Errorf("%s: found %s, which is not followed", plain(path), link.Elsewhere)
	}
	return g.file.open(link.address, path)
}

// Group opens a group at a path below this one.
func (g *Group) Group(path string) (*Group, error) {
	found, err := g.Open(path)
	if err != nil {
		return nil, err
	}
	group, ok := found.(*Group)
	if !ok {
		return nil, fmt.Errorf("%s is a dataset, want a group", plain(path))
	}
	return group, nil
}

// Dataset opens a dataset at a path below the group.
func (g *Group) Dataset(path string) (*Dataset, error) {
	found, err := g.Open(path)
	if err != nil {
		return nil, err
	}
	d, ok := found.(*Dataset)
	if !ok {
		return nil, fmt.Errorf("%s is a group, want a dataset", plain(path))
	}
	return d, nil
}

// maxNesting is how deep groups may lie in groups.
const maxNesting = 64

// Walk visits the group and all that is in it, each a *Group or a *Dataset, by name. It stops at the first error: visit's, or
// that something cannot be read. Links elsewhere are passed over.
func (g *Group) Walk(visit func(object any) error) error {
	return g.walk(visit, map[uint64]bool{}, 0)
}

// walk enters no group twice: groups that contain each other have no end.
func (g *Group) walk(visit func(any) error, seen map[uint64]bool, depth int) error {
	if seen[g.header.address] || depth > maxNesting {
		return fmt.Errorf("%s: the group has more than one name, or more than %d groups around it", plain(g.path), maxNesting)
	}
	seen[g.header.address] = true
	if err := visit(g); err != nil {
		return err
	}
	for _, link := range g.links {
		if link.Elsewhere != "" {
			continue
		}
		found, err := g.follow(link)
		if err != nil {
			return err
		}
		if below, ok := found.(*Group); ok {
			err = below.walk(visit, seen, depth+1)
		} else {
			err = visit(found)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// open reads the header at an address, and what it is the header of.
func (f *File) open(address uint64, path string) (any, error) {
	h, err := f.header(address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", plain(path), err)
	}
	o := object{file: f, header: h, path: path}
	switch {
	case h.find(msgSymbolTable) != nil, h.find(msgLinkInfo) != nil, h.find(msgLink) != nil, h.find(msgGroupInfo) != nil:
		g := &Group{object: o}
		g.links, err = once(f, linksOf, address, func() ([]Link, error) { return f.list(h) })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", plain(path), err)
		}
		return g, nil
	case h.find(msgLayout) != nil:
		d, err := newDataset(o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", plain(path), err)
		}
		return d, nil
	}
	return nil, fmt.Errorf("%s is neither a group nor a dataset", plain(path))
}

// list reads a group's links, from wherever they are, and sorts them.
func (f *File) list(h *header) ([]Link, error) {
	var links []Link
	add := func(l Link) error {
		if l.Name == "" || len(l.Name) > maxName || strings.ContainsRune(l.Name, '/') {
			return fmt.Errorf("found the name %q, want 1 to %d bytes without a slash", l.Name[:min(len(l.Name), 100)], maxName)
		}
		links = append(links, l)
		return f.spend(len(l.Name))
	}
	for _, m := range h.messages {
		var err error
		switch {
		case m.shared && (m.kind == msgLink || m.kind == msgSymbolTable || m.kind == msgLinkInfo):
			err = errShared
		case m.kind == msgSymbolTable:
			err = f.symbolTable(m.body, add)
		case m.kind == msgLink:
			var l Link
			if l, err = f.linkMessage(m.body); err == nil {
				err = add(l)
			}
		case m.kind == msgLinkInfo:
			err = f.denseLinks(m.body, add)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(links, func(a, b Link) int { return strings.Compare(a.Name, b.Name) })
	for i := range links {
		if i > 0 && links[i].Name == links[i-1].Name {
			return nil, fmt.Errorf("the name %q is there twice", links[i].Name)
		}
	}
	return links, nil
}

var errShared = errors.New("a message is shared with other objects (a committed type, say), which is not read")

// plain is a path for messages: quoted if it could upset a terminal, and cut if it is long.
func plain(path string) string {
	const longest = 200
	if len(path) > longest {
		path = path[:longest] + "…"
	}
	if quoted := fmt.Sprintf("%q", path); len(quoted) != len(path)+2 || path == "" {
		return quoted
	}
	return path
}
