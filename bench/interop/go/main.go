// Command interop judges a published log by Go's golang.org/x/mod: sumdb/note and sumdb/tlog, which the Go checksum
// database rests on. Only the reading of files is ours.
//
//	interop DIR VKEY
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// folder gives tiles out of a folder in the manner of C2SP tlog-tiles, and keeps which it has given.
type folder struct {
	dir  string
	read map[string]bool
}

func (folder) Height() int                         { return 8 }
func (folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

// path translates: Go writes the tile's height and calls bundles `data`, C2SP does neither.
func path(t tlog.Tile) string {
	short := strings.Replace(t.Path(), "tile/8/", "tile/", 1)
	return strings.Replace(short, "tile/data/", "tile/entries/", 1)
}

func (dir folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		bytes, err := os.ReadFile(filepath.Join(dir.dir, path(tile)))
		if err != nil {
			return nil, err
		}
		if len(bytes) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", path(tile), len(bytes))
		}
		data[i] = bytes
		dir.read[path(tile)] = true
	}
	return data, nil
}

// checkpoint opens the note and reads its three lines. tlog.ParseTree wants the checksum database's own first line.
func (dir folder) checkpoint(vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	bytes, err := os.ReadFile(filepath.Join(dir.dir, "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(bytes, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// entries reads every bundle.
func (dir folder) entries(size int64) ([][]byte, error) {
	var out [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := size - n*256
		if width > 256 {
			width = 256
		}
		name := path(tlog.Tile{H: 8, L: -1, N: n, W: int(width)})
		bytes, err := os.ReadFile(filepath.Join(dir.dir, name))
		if err != nil {
			return nil, err
		}
		for len(bytes) > 0 {
			length := 2
			if len(bytes) >= 2 {
				length += int(binary.BigEndian.Uint16(bytes))
			}
			if length > len(bytes) || len(bytes) < 2 {
				return nil, fmt.Errorf("%s is cut off", name)
			}
			out = append(out, bytes[2:length])
			bytes = bytes[length:]
		}
	}
	if int64(len(out)) != size {
		return nil, fmt.Errorf("%d entries, not %d", len(out), size)
	}
	return out, nil
}

// tiles counts the tiles that a tree of this size has, each of which must have been asked for.
func tiles(size int64) int {
	count := 0
	for width := size; width > 0; width /= 256 {
		count += int((width + 255) / 256)
	}
	return count
}

// inclusions proves every entry and checks the proof.
func inclusions(tree tlog.Tree, hashes tlog.HashReader, entries [][]byte) (int, error) {
	for i, entry := range entries {
		proof, err := tlog.ProveRecord(tree.N, int64(i), hashes)
		if err != nil {
			return i, err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(i), tlog.RecordHash(entry)); err != nil {
			return i, fmt.Errorf("entry %d: %w", i, err)
		}
	}
	return len(entries), nil
}

// consistencies proves up to 400 earlier trees to be the beginning of this one.
func consistencies(tree tlog.Tree, hashes tlog.HashReader) (int, error) {
	count := 0
	step := tree.N/400 + 1
	for old := int64(1); old <= tree.N; old += step {
		root, err := tlog.TreeHash(old, hashes)
		if err != nil {
			return count, err
		}
		proof, err := tlog.ProveTree(tree.N, old, hashes)
		if err != nil {
			return count, err
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old, root); err != nil {
			return count, fmt.Errorf("tree of %d: %w", old, err)
		}
		count++
	}
	return count, nil
}

func judge(dir folder, vkey string) error {
	tree, err := dir.checkpoint(vkey)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, dir)
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the tiles have another root")
	}
	entries, err := dir.entries(tree.N)
	if err != nil {
		return err
	}
	included, err := inclusions(tree, hashes, entries)
	if err != nil {
		return err
	}
	consistent, err := consistencies(tree, hashes)
	if err != nil {
		return err
	}
	n := tiles(tree.N)
	if len(dir.read) != n {
		return fmt.Errorf("%d tiles were read, and the tree has %d", len(dir.read), n)
	}
	fmt.Printf("1 checkpoint, %d tiles, %d inclusion proofs, %d consistency proofs: %d passed\n",
		n, included, consistent, 1+n+included+consistent)
	return nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: interop DIR VKEY")
		os.Exit(2)
	}
	if err := judge(folder{os.Args[1], map[string]bool{}}, os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}
