package gotypes

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// unfit are the calls in roots whose arguments do not fit, whatever is unknown about their types: the type checker says nothing of what has an unknown type
// in it once it has said something else. What has been complained about at the same place is left out.
func (p *pkg) unfit(info *types.Info, said []complaint) []complaint {
	var out []complaint
	for e, whole := range p.entries {
		if !whole {
			continue
		}
		ast.Inspect(e.decl, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			msg, at := unfitting(call, info)
			if msg != "" && !slices.ContainsFunc(said, func(c complaint) bool { return call.Pos() <= c.err.Pos && c.err.Pos <= call.End() }) {
				out = append(out, complaint{err: types.Error{Pos: at, Msg: msg}, root: e, node: call})
			}
			return true
		})
	}
	slices.SortFunc(out, func(a, b complaint) int { return int(a.err.Pos - b.err.Pos) })
	return out
}

// unfitting says what is wrong with the arguments of a call, in the words of the type checker; empty if nothing is, or if that cannot be said.
func unfitting(call *ast.CallExpr, info *types.Info) (msg string, at token.Pos) {
	signature, ok := info.Types[call.Fun].Type.(*types.Signature)
	if !ok || info.Types[call.Fun].IsType() || call.Ellipsis.IsValid() || signature.TypeParams().Len() > 0 {
		return "", 0
	}
	args, params := len(call.Args), signature.Params().Len()
	if several(call) {
		return "", 0
	}
	switch {
	case args < params-1, args < params && !signature.Variadic():
		return "not enough arguments in call to " + types.ExprString(call.Fun), call.Rparen
	case args > params && !signature.Variadic():
		return "too many arguments in call to " + types.ExprString(call.Fun), call.Args[params].Pos()
	}
	for i, x := range call.Args {
		if signature.Variadic() && i >= params-1 {
			break
		}
		if is := info.Types[x].Type; is != nil && apart(is, signature.Params().At(i).Type(), 0) {
			return "cannot use the argument in call to " + types.ExprString(call.Fun), x.Pos()
		}
	}
	return "", 0
}

// several reports whether the only argument of a call is a call itself, which may give several values.
func several(call *ast.CallExpr) bool {
	if len(call.Args) != 1 {
		return false
	}
	_, inner := ast.Unparen(call.Args[0]).(*ast.CallExpr)
	return inner
}

// apart reports whether two types cannot be the same whatever their unknown parts are. Of interfaces and of names nothing is said.
func apart(a, b types.Type, depth int) bool {
	const deepest = 6
	if depth > deepest {
		return false
	}
	if depth == 0 {
		a, b = a.Underlying(), b.Underlying()
	}
	switch a := a.(type) {
	case *types.Signature:
		b, ok := b.Underlying().(*types.Signature)
		return ok && (a.Variadic() != b.Variadic() || apartTuples(a.Params(), b.Params(), depth) || apartTuples(a.Results(), b.Results(), depth))
	case *types.Pointer:
		b, ok := b.(*types.Pointer)
		return ok && apart(a.Elem(), b.Elem(), depth+1)
	case *types.Slice:
		b, ok := b.(*types.Slice)
		return ok && apart(a.Elem(), b.Elem(), depth+1)
	case *types.Basic:
		switch b := b.(type) {
		case *types.Basic:
			return a.Kind() != b.Kind() && a.Kind() != types.Invalid && b.Kind() != types.Invalid && (a.Info()|b.Info())&types.IsUntyped == 0
		case *types.Chan, *types.Signature, *types.Map, *types.Slice, *types.Pointer:
			return a.Kind() != types.Invalid && a.Info()&types.IsUntyped == 0
		}
	case *types.Chan, *types.Map:
		b, ok := b.(*types.Basic)
		return ok && apart(b, a, depth)
	}
	return false
}

func apartTuples(a, b *types.Tuple, depth int) bool {
	if a.Len() != b.Len() {
		return true
	}
	for i := range a.Len() {
		if apart(a.At(i).Type(), b.At(i).Type(), depth+1) {
			return true
		}
	}
	return false
}
