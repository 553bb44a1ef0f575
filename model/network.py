"""The network: an encoder, sentence vectors, a pointer head for the side, linear heads for the rest.

The pointer head sums attention over mentions (pointer-sum attention, Kadlec et al. 2016): a side's score for a
sentence is the log-sum-exp of the scores of its mentions in the window. With a stand-in for each side (as in Hermann
et al. 2015, who put numbered entities for names) it is that of its stand-in instead, and the pointer says where it is
heard, and tells sides apart that share a stand-in. No weight belongs to a side.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.utils.generic import ModelOutput

from .labels import DEFAULT_SCHEME, Scheme

MAX_DISTANCE = 4
"""Sentences between a mention and the sentence that points at it; further ones count as this far."""
_MASKED = -1e4
_SHARPNESS = 4.0
"""By how much attention over a sentence's tokens is sharper than a dot product of vectors of this width usually is."""


class SentenceLabelerConfig(PretrainedConfig):
    """What is needed to build a `SentenceLabeler`.

    `encoder` is the name under which the encoder was asked for and `encoder_config` its own configuration. `heads` are
    those of `scheme` in order, which a configuration that was saved has lost otherwise: its keys are sorted.
    `stand_ins` is how many vectors there are to stand for mentions, see `SentenceLabeler`, 0 leaving their words;
    `pooling` is how a sentence's tokens become its vector,
    "mean" or "attention", see `pool_sentences`; `pointer_size` is the width of the pointer's queries
    and keys; `lora` holds rank and alpha if the encoder is adapted and not changed. `temperatures` calibrate each
    head, 1 being none. `max_tokens` and `overlap` lay the windows.
    """

    model_type = "whosays"

    def __init__(
        self,
        encoder: str = "",
        encoder_config: dict[str, Any] | None = None,
        encoder_sha256: str = "",
        scheme: dict[str, Any] | None = None,
        heads: list[str] | None = None,
        stand_ins: int = 1,
        pooling: str = "mean",
        pointer_size: int = 128,
        dropout: float = 0.1,
        lora: dict[str, Any] | None = None,
        max_tokens: int = 512,
        overlap: int = 128,
        temperatures: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        self.encoder = encoder
        self.encoder_config = encoder_config or {}
        self.encoder_sha256 = encoder_sha256
        scheme = scheme or DEFAULT_SCHEME.to_dict()
        self.scheme = {name: scheme[name] for name in heads or []} | scheme
        self.heads = list(self.scheme)
        self.stand_ins = stand_ins
        self.pooling = pooling
        self.pointer_size = pointer_size
        self.dropout = dropout
        self.lora = lora
        self.max_tokens = max_tokens
        self.overlap = overlap
        self.temperatures = temperatures or {}
        super().__init__(**kwargs)

    @property
    def anonymous(self) -> bool:
        """Whether the encoder sees mentions without their words."""
        return self.stand_ins > 0

    def encoder_settings(self) -> PretrainedConfig:
        """`encoder_config` as the object that transformers builds an encoder from, in float32.

        The number format that the encoder's publisher kept its weights in is none to compute in here: the heads are
        float32, and bfloat16 comes by autocast.
        """
        fields = self.encoder_config | {"dtype": "float32"}
        return AutoConfig.for_model(fields.pop("model_type"), **fields)


@dataclass
class LabelerOutput(ModelOutput):
    """`logits[head]` is [B, S, classes] in float32, sides after the fixed labels of the head that points.

    `pointer` is [B, S, M]: each sentence's score for each mention. `loss` is there if labels were given.
    """

    loss: Tensor | None = None
    logits: dict[str, Tensor] | None = None
    pointer: Tensor | None = None


def pool_sentences(hidden: Tensor, slots: Tensor, slot_count: int, focus: Tensor | None = None) -> Tensor:
    """Mean of each sentence's token vectors: hidden [B, T, D], slots [B, T] → [B, slot_count, D].

    With `focus` [D] it is weighted by attention to that (Yang et al. 2016): by the softmax, over the sentence's tokens,
    of hidden · focus · 4/√D; a focus of zeros gives the plain mean. A sentence's closing token counts as its own, so
    that no sentence is empty; padding slots give zeros.
    """
    member = slots.unsqueeze(1) == torch.arange(slot_count, device=slots.device)[None, :, None]
    if focus is None:
        weights = member.to(hidden.dtype)
        return weights @ hidden / weights.sum(-1, keepdim=True).clamp(min=1)
    scores = (hidden.float() @ focus.float()) * (_SHARPNESS / focus.shape[0] ** 0.5)
    weights = scores.unsqueeze(1).masked_fill(~member, _MASKED).softmax(-1) * member
    return weights.to(hidden.dtype) @ hidden


class PointerHead(nn.Module):
    """Scores a sentence's mentions and, by them, the sides.

    score(s, m) = q(s)·k(m)/√P + b[sentence of m − sentence of s], the distance clipped at `MAX_DISTANCE`.
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, size)
        self.key = nn.Linear(width, size)
        self.distance = nn.Parameter(torch.zeros(2 * MAX_DISTANCE + 1))

    def forward(self, sentences: Tensor, mentions: Tensor, distance: Tensor) -> Tensor:
        """sentences [B, S, D], mentions [B, M, D], distance [B, S, M] in sentences → scores [B, S, M], float32."""
        scores = self.query(sentences) @ self.key(mentions).transpose(1, 2) / self.query.out_features**0.5
        return scores.float() + self.distance[distance.clamp(-MAX_DISTANCE, MAX_DISTANCE) + MAX_DISTANCE]


def side_scores(scores: Tensor, sides: Tensor, present: Tensor) -> Tensor:
    """Log-sum-exp of mention scores by side: scores [B, S, M], sides [B, M] (-1 padding), present [B, K] → [B, S, K].

    A side without a mention gets a score so low that its probability is 0.
    """
    scores = scores.masked_fill((sides < 0).unsqueeze(1), _MASKED)
    highest = scores.amax(-1, keepdim=True)
    owner = sides.unsqueeze(-1) == torch.arange(present.shape[1], device=sides.device)
    summed = (scores - highest).exp() @ owner.to(scores.dtype)
    return (summed.clamp(min=1e-30).log() + highest).masked_fill(~present.unsqueeze(1), _MASKED)


def share_out(scores: Tensor, by_pointer: Tensor, stand_ins: Tensor, present: Tensor) -> Tensor:
    """The sides' scores from those of the stand-ins.

    scores [B, S, stand-ins], by_pointer [B, S, K], stand_ins [B, K] as each side has them, present [B, K] → [B, S, K].
    A side that has its stand-in for itself has its score; sides that share one share its probability, each as much of
    it as the pointer gives it among them. A side without a mention gets a score as in `side_scores`.
    """
    own = scores.gather(2, stand_ins.unsqueeze(1).expand(-1, scores.shape[1], -1))
    same = stand_ins.unsqueeze(1) == stand_ins.unsqueeze(2)
    together = by_pointer.unsqueeze(2).masked_fill(~same.unsqueeze(1), _MASKED).logsumexp(-1)
    return (own + (by_pointer - together)).masked_fill(~present.unsqueeze(1), _MASKED)


class SentenceLabeler(PreTrainedModel):
    """Labels every sentence of a window with every head of its scheme.

    A mention is read as one vector in place of its words. If `stand_ins` is 1 it is the same for all mentions, it is
    learnt, and a side's score is what the pointer gives its mentions. Else each side of a window has one of its own,
    the vector of a common word, so that the encoder tells sides apart and knows no name; a side's score is that of its
    stand-in, and the pointer, which says where it is heard, learns beside, without moving the encoder. The sides get
    their stand-ins in the order of first mention: none belongs to a side. Where there are more sides than stand-ins,
    several share one, and the pointer tells them apart.

    Built from a config alone its weights are random; `checkpoint.new_model` and `checkpoint.load_model` fill them.
    An `encoder` that is given spares making one that is replaced at once.
    """

    config_class = SentenceLabelerConfig
    base_model_prefix = "encoder"
    supports_gradient_checkpointing = True
    _supports_sdpa = True

    def __init__(self, config: SentenceLabelerConfig, encoder: Any = None) -> None:
        super().__init__(config)
        self.encoder: Any = encoder or AutoModel.from_config(config.encoder_settings())
        width = self.encoder.config.hidden_size
        self.scheme = Scheme.from_dict(config.scheme)
        self.dropout = nn.Dropout(config.dropout)
        # Each head looks at a sentence in its own way.
        self.focus = (
            nn.ParameterDict({head.name: nn.Parameter(torch.zeros(width)) for head in self.scheme.heads})
            if config.pooling == "attention"
            else None
        )
        self.heads = nn.ModuleDict({head.name: nn.Linear(width, len(head.labels)) for head in self.scheme.heads})
        self.pointer = PointerHead(width, config.pointer_size)
        embedded = self.encoder.get_input_embeddings().weight.shape[1]  # some encoders widen it afterwards
        several = config.stand_ins > 1
        self.mention = (
            nn.Parameter(torch.zeros(config.stand_ins, embedded), requires_grad=not several)
            if config.stand_ins
            else None
        )
        self.voices = nn.Linear(width, config.stand_ins) if several else None
        self.post_init()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        slots: Tensor,
        sentences: Tensor,
        mention_positions: Tensor,
        mention_sides: Tensor,
        mention_sentences: Tensor,
        side_present: Tensor,
        labels: dict[str, Tensor] | None = None,
    ) -> LabelerOutput:
        """Tensors as `windows.collate` makes them; labels[head] are probabilities [B, S, classes], 0 where missing."""
        rows = torch.arange(input_ids.shape[0], device=input_ids.device).unsqueeze(1)
        embedded = self.encoder.get_input_embeddings()(input_ids)
        stand_ins = None
        if self.mention is not None:
            stand_ins = self._stand_ins(mention_positions, mention_sides, side_present)
            dealt = stand_ins.gather(1, mention_sides.clamp(min=0))
            # Padding mentions sit at position 0, the opening token, which must keep its own vector.
            dealt = dealt.masked_fill(mention_sides < 0, -1)
            standing = torch.full_like(input_ids, -1).scatter(1, mention_positions, dealt)  # [B, T], -1 for a word
            own = self.mention.to(embedded.dtype)[standing.clamp(min=0)]
            embedded = torch.where((standing >= 0).unsqueeze(-1), own, embedded)
        hidden = self.encoder(inputs_embeds=embedded, attention_mask=attention_mask).last_hidden_state
        vectors = self._sentence_vectors(hidden, slots, sentences.shape[1])
        distance = mention_sentences.unsqueeze(1) - sentences.unsqueeze(2)
        # At most one head points; without any, the pointer answers the first.
        asking = next((head for head in self.scheme.heads if head.points), self.scheme.heads[0])
        asked, pointed_at, voices = vectors[asking.name], hidden[rows, mention_positions], self.voices
        if voices is not None:  # the pointer only follows what the encoder does for them
            asked, pointed_at = asked.detach(), pointed_at.detach()
        pointer = self.pointer(asked, pointed_at, distance)
        by_pointer = side_scores(pointer, mention_sides, side_present)
        logits: dict[str, Tensor] = {}
        followed: dict[str, Tensor] = {}
        for head in self.scheme.heads:
            logits[head.name] = fixed = self.heads[head.name](vectors[head.name]).float()
            if head.points:
                by_side = by_pointer
                if voices is not None and stand_ins is not None:
                    by_side = share_out(voices(vectors[head.name]).float(), by_pointer, stand_ins, side_present)
                    followed[head.name] = torch.cat([fixed.detach(), by_pointer], dim=-1)
                logits[head.name] = torch.cat([fixed, by_side], dim=-1)
        loss = None
        if labels:
            loss = self._loss(logits, labels)
            if pointed := {name: target for name, target in labels.items() if name in followed}:
                loss = loss + self._loss(followed, pointed)
        return LabelerOutput(loss, logits, pointer)

    def _stand_ins(self, positions: Tensor, sides: Tensor, present: Tensor) -> Tensor:
        """Which stand-in each side has: positions, sides [B, M], present [B, K] → [B, K].

        The side that a window mentions first has the first, and so on; beyond the last they begin anew.
        """
        owner = sides.unsqueeze(-1) == torch.arange(present.shape[1], device=sides.device)
        first = torch.where(owner, positions.unsqueeze(-1), torch.iinfo(positions.dtype).max).amin(1)
        return (first.unsqueeze(1) < first.unsqueeze(2)).sum(-1) % self.config.stand_ins

    def _sentence_vectors(self, hidden: Tensor, slots: Tensor, count: int) -> dict[str, Tensor]:
        """Each head's vectors of the sentences, [B, S, D]; pooled by their mean they are the same for all."""
        if self.focus is None:
            shared: Tensor = self.dropout(pool_sentences(hidden, slots, count))
            return dict.fromkeys(self.scheme.names, shared)
        return {
            name: self.dropout(pool_sentences(hidden, slots, count, self.focus[name])) for name in self.scheme.names
        }

    def _loss(self, logits: dict[str, Tensor], labels: dict[str, Tensor]) -> Tensor:
        """Sum over heads of the mean cross-entropy over labelled sentences; a batch without labels gives 0."""
        total = torch.zeros((), device=next(iter(logits.values())).device)
        for name, target in labels.items():
            summed = -(target * logits[name].log_softmax(-1)).sum()
            total = total + summed / target.sum().clamp(min=1)
        return total
