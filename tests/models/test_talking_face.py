"""What the composed network promises beyond its sizes."""

import numpy as np
import pytest
import torch

from models.presets import DEFAULT, PAPER, PRESETS, ModelConfig, build_model


@pytest.mark.parametrize("use_phase", [True, False])
def test_shared_columns_give_the_same_codes_as_windows_alone(use_phase):
    torch.manual_seed(1)
    encoder = build_model(ModelConfig(use_phase=use_phase, texture_widths=())).encoder.eval()
    columns = torch.randn(60, 2, 256)
    index = torch.arange(10)[:, None] * 4 + torch.arange(24)
    with torch.inference_mode():
        together = encoder(columns, index)
        alone = torch.cat([encoder(columns[row], torch.arange(24)[None]) for row in index])
    assert torch.allclose(together, alone, atol=1e-5)


def test_geometry_starts_as_principal_components():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    shapes = rng.standard_normal((3, 468, 3)).astype(np.float32)
    offsets = np.einsum("tk,kvc->tvc", rng.standard_normal((200, 3)).astype(np.float32), shapes)
    geometry = build_model(DEFAULT).geometry
    geometry.initialise_from(torch.from_numpy(offsets))
    components = geometry.offsets.weight[:, :3].detach().numpy()
    basis, _ = np.linalg.qr(components)
    flat = (offsets - offsets.mean(0)).reshape(200, -1)
    assert np.abs(flat - flat @ basis @ basis.T).max() < 1e-3
    # scores of unit variance: the components carry the standard deviations
    scores = flat @ np.linalg.pinv(components.T)
    assert np.allclose(scores.std(0, ddof=1), 1, atol=1e-2)
    assert np.allclose(geometry.offsets.bias.detach().numpy(), offsets.mean(0).ravel(), atol=1e-6)


def test_the_previous_atlas_matters_only_with_auto_regression():
    torch.manual_seed(0)
    recurrent = build_model(DEFAULT).eval()
    code, first, second = torch.randn(1, recurrent.numbers), torch.zeros(1, 3, 128, 128), torch.ones(1, 3, 128, 128)
    with torch.inference_mode():
        assert not torch.allclose(recurrent.decode_texture(code, first), recurrent.decode_texture(code, second))
        from dataclasses import replace

        plain = build_model(replace(DEFAULT, previous_code_length=0)).eval()
        assert torch.equal(plain.decode_texture(code, first), plain.decode_texture(code, second))


def test_without_texture_decoding_it_is_an_error():
    model = build_model(ModelConfig(texture_widths=()))
    with pytest.raises(ValueError, match="no texture decoder"):
        model.decode_texture(torch.zeros(1, 32), torch.zeros(1, 3, 128, 128))


def test_default_is_small_and_paper_is_large():
    sizes = {name: sum(p.numel() for p in build_model(config).parameters()) for name, config in PRESETS.items()}
    assert sizes["default"] * 4 < 30e6  # the shipped actor stays under 30 MB of float32
    assert sizes["paper"] > 70e6
    assert PAPER.code_length == DEFAULT.code_length == 32
    assert PAPER.previous_code_length == DEFAULT.previous_code_length == 2


def test_config_errors_name_the_field():
    with pytest.raises(ValueError, match="time_widths needs 6"):
        ModelConfig(time_widths=(1, 2))
