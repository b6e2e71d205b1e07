"""The `paper` preset has the layers and sizes of the paper's section 3.2 and tables 4 and 5."""

import itertools

import pytest
import torch
from torch import nn

from models.presets import PAPER, build_model


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return build_model(PAPER).eval()


def output_shapes(module: nn.Module, kinds: tuple, *inputs: torch.Tensor) -> list[tuple[int, ...]]:
    shapes = []
    hooks = [
        part.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape[1:])))
        for part in module.modules()
        if isinstance(part, kinds)
    ]
    with torch.inference_mode():
        module(*inputs)
    for hook in hooks:
        hook.remove()
    return shapes


def test_texture_decoder_table_4(model):
    shapes = output_shapes(model.texture, (nn.Linear, nn.Upsample, nn.Conv2d), torch.zeros(1, 34))
    assert shapes == [
        (16384,),
        (1024, 8, 8),
        (512, 8, 8),
        (512, 16, 16),
        (256, 16, 16),
        (256, 32, 32),
        (128, 32, 32),
        (128, 64, 64),
        (64, 64, 64),
        (64, 128, 128),
        (3, 128, 128),
    ]
    kernels = [part.kernel_size for part in model.texture.modules() if isinstance(part, nn.Conv2d)]
    assert kernels == [(3, 3)] * 4 + [(5, 5)]
    assert isinstance(list(model.texture.modules())[-1], nn.Tanh)


def test_atlas_encoder_table_5(model):
    shapes = output_shapes(model.previous, (nn.Conv2d, nn.Linear), torch.zeros(1, 3, 128, 128))
    assert shapes == [(128, 64, 64), (256, 32, 32), (512, 16, 16), (1024, 8, 8), (2048, 4, 4), (2,)]
    with torch.inference_mode():
        assert model.previous(torch.rand(3, 3, 128, 128)).abs().max() < 1  # a tanh at the end


def test_audio_encoder_has_six_layers_over_frequency_and_six_over_time(model):
    columns, index = torch.zeros(24, 2, 256), torch.arange(24)[None]
    with torch.inference_mode():
        assert model.encoder(columns, index).shape == (1, 32)
    bins = [shape[1] for shape in output_shapes(model.encoder.frequency, (nn.Conv1d,), columns)]
    assert bins == [128, 64, 32, 16, 8, 4]
    spans = [shape[1] for shape in output_shapes(model.encoder.time, (nn.Conv1d,), torch.zeros(1, 256, 4, 24))]
    assert spans == [12, 6, 3, 2, 1, 1]


def test_geometry_decoder_is_150_and_1404_linear_units(model):
    layers = [part for part in model.geometry.modules() if isinstance(part, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in layers] == [(32, 150), (150, 1404)]
    with torch.inference_mode():
        a, b = torch.randn(2, 1, 32)
        middle = model.geometry((a + b) / 2)
        assert torch.allclose(middle, (model.geometry(a) + model.geometry(b)) / 2, atol=1e-5)


def test_parameter_counts_by_hand(model):
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    decoder = 34 * 16384 + 16384
    decoder += sum(9 * a * b + b for a, b in [(1024, 512), (512, 256), (256, 128), (128, 64)]) + 25 * 64 * 3 + 3
    assert count["texture"] == decoder
    widths = [3, 128, 256, 512, 1024, 2048]
    encoder = sum(25 * a * b + b for a, b in itertools.pairwise(widths)) + 2048 * 16 * 2 + 2
    assert count["previous"] == encoder
    assert count["blendshapes"] == 32 * 52 + 52
