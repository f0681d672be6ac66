package patch

import (
	"bytes"
	"context"
	"sync"

	"github.com/kubelts/kubelts/internal/git"
)

const (
	chunkSize      = 64      // bytes of a chunk that no newline ends
	maxSignatures  = 8 << 20 // chunks that are remembered, twice: about 64 MB each
	maxSimilarSize = 16 << 20
)

// signature is what a content looks like from afar: for each different chunk (a line, or 64 bytes of a longer one), how many bytes
// such chunks have together.
type signature struct {
	size   int
	chunks map[uint64]int32
}

// sign makes a content's signature. In a text, the CR of a CR LF does not count, so that a change of line ends hides no rename.
func sign(content []byte) *signature {
	s := &signature{size: len(content), chunks: make(map[uint64]int32, len(content)/32)}
	text := bytes.IndexByte(content[:min(len(content), 8000)], 0) < 0
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	h, n := uint64(offset), int32(0)
	for i, c := range content {
		if text && c == '\r' && i+1 < len(content) && content[i+1] == '\n' {
			continue
		}
		h = (h ^ uint64(c)) * prime
		n++
		if n < chunkSize && c != '\n' {
			continue
		}
		s.chunks[h] += n
		h, n = offset, 0
	}
	if n > 0 {
		s.chunks[h] += n
	}
	return s
}

// similarity is the share of the larger content, of maxScore, that is made of chunks which both have.
func similarity(a, b *signature) int {
	larger := max(a.size, b.size)
	if larger == 0 || b.size == 0 {
		return 0
	}
	if len(b.chunks) < len(a.chunks) {
		a, b = b, a
	}
	common := 0
	for h, n := range a.chunks {
		common += int(min(n, b.chunks[h]))
	}
	return common * maxScore / larger
}

// signatures remembers those that were made lately. It may be used from many goroutines.
type signatures struct {
	objects git.Objects

	mu         sync.Mutex
	young, old map[git.OID]*signature
	size       int // chunks in young
}

func (s *signatures) of(ctx context.Context, id git.OID) (*signature, error) {
	if found := s.known(id); found != nil {
		return found, nil
	}
	content, err := s.objects.Blob(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(content) > maxSimilarSize {
		return nil, &git.OversizeError{OID: id, Size: int64(len(content)), Limit: maxSimilarSize}
	}
	made := sign(content)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(id, made)
	return made, nil
}

func (s *signatures) known(id git.OID) *signature {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.young[id]; found != nil {
		return found
	}
	found := s.old[id]
	if found != nil {
		s.keep(id, found)
	}
	return found
}

func (s *signatures) keep(id git.OID, made *signature) {
	if s.size += len(made.chunks) + 8; s.size > maxSignatures || s.young == nil {
		s.old, s.young, s.size = s.young, map[git.OID]*signature{}, len(made.chunks)
	}
	s.young[id] = made
}
